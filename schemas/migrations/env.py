"""Run by Alembic: the connection is always handed in, see `schemas.database.upgrade`."""

from alembic import context

from schemas.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
