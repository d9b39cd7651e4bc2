"""Run by Alembic: the connection is always handed in, see `iyu.schemas.sql.engine.upgrade`."""

from alembic import context

from iyu.schemas.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
