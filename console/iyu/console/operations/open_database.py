"""The database of a command: found, checked, and its connections closed at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from iyu.schemas.sql.engine import check, connected


@contextmanager
def open_database(address: str) -> Iterator[Engine]:
    """Give an engine on tables of this version; its connections are closed at the end.

    Raises SettingsError, DatabaseOutdated, DatabaseUnavailable.
    """
    with connected(address) as engine:
        check(engine)
        yield engine
