"""The daily sums that an upgrade leaves to be counted: counted with a word on how far it is."""

from importlib.util import find_spec

from sqlalchemy import Engine, func, select

from iyu.console.terminal.progress_bar import progress_bar
from iyu.schemas.sql.engine import reading
from iyu.schemas.sql.tables import days_to_recount as marked_days


def recount_marked(engine: Engine, *, quiet: bool = False) -> int:
    """Count anew where days are marked; return how many are left to `iyu db recount`.

    Counting needs what workers have; without it all are left. Raises DatabaseUnavailable.
    """
    with reading(engine) as connection:
        left = int(connection.scalar(select(func.count()).select_from(marked_days)) or 0)
    if not left or not find_spec("numpy"):
        return left
    recount(engine, quiet=quiet)
    return 0


def recount(engine: Engine, *, quiet: bool = False) -> int:
    """Count the days anew that need it; return how many. Raises DatabaseUnavailable."""
    from iyu.console.operations.recount_days import days_to_recount, recount_days

    if days := days_to_recount(engine):
        with progress_bar("days counted anew:", len(days), quiet=quiet) as bar:
            for number, _ in enumerate(recount_days(engine, days), 1):
                bar.update(number)
    return len(days)
