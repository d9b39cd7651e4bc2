"""Whether this code may work with the tables it finds: rolling upgrades mix old and new.

Each migration that does more than add (a table, a column, an index, a view) writes its own revision
into `table_readers`. Code that knows that revision knows all that was ever taken away or changed,
so whatever came later was only added, and old code goes on.
"""

from sqlalchemy import Connection, Engine, inspect, select

from iyu.schemas.contract.errors import DatabaseOutdated
from iyu.schemas.contract.settings import sqlite_path
from iyu.schemas.sql.engine import migration_scripts, reading
from iyu.schemas.sql.tables import table_readers


def check_revision(engine: Engine) -> None:
    """Raise DatabaseOutdated if the tables are older than this code, or too new for it.

    Raises DatabaseUnavailable.
    """
    path = sqlite_path(engine.url.render_as_string(hide_password=False))
    if path and not path.exists():
        raise DatabaseOutdated(f"{path} does not exist yet; run: iyu db upgrade")
    from alembic.runtime.migration import MigrationContext

    scripts = migration_scripts()
    known = {script.revision for script in scripts.walk_revisions()}
    with reading(engine) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current == scripts.get_current_head():
            return
        if current is None or current in known:
            raise DatabaseOutdated(
                f"the tables are of version {current or 'none'}, this worker needs "
                f"{scripts.get_current_head()}; run: iyu db upgrade"
            )
        if _oldest_reader(connection) not in known:
            raise DatabaseOutdated(
                f"the tables are of version {current}, this worker knows them up to "
                f"{scripts.get_current_head()}; start a worker of the newer iyu"
            )


def _oldest_reader(connection: Connection) -> str | None:
    if not inspect(connection).has_table(table_readers.name):
        return None
    return connection.execute(select(table_readers.c.oldest_revision)).scalar()
