"""Tables brought up to date, and then the daily sums that an upgrade leaves to be counted."""

from importlib.util import find_spec

from sqlalchemy import Engine, func, select

from iyu.console.terminal.progress_bar import progress_bar
from iyu.schemas.sql.engine import reading, upgrade
from iyu.schemas.sql.tables import days_to_recount as marked_days


def upgrade_database(engine: Engine, *, quiet: bool = False) -> int:
    """Migrate, and recount; return how many days are left to `iyu db recount`.

    Counting needs what workers have; without it days are left. Raises DatabaseUnavailable.
    """
    upgrade(engine)
    with reading(engine) as connection:
        left = int(connection.scalar(select(func.count()).select_from(marked_days)) or 0)
    if left and find_spec("numpy"):
        recount_database(engine, quiet=quiet)
        left = 0
    return left


def recount_database(engine: Engine, *, quiet: bool = False) -> int:
    """Count the days anew that need it; return how many. Raises DatabaseUnavailable."""
    from iyu.console.operations.recount_days import days_to_recount, recount_days

    if days := days_to_recount(engine):
        with progress_bar("days counted anew:", len(days), quiet=quiet) as bar:
            for number, _ in enumerate(recount_days(engine, days), 1):
                bar.update(number)
    return len(days)
