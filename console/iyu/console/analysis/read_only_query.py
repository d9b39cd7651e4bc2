"""Run one SELECT on the database, without any way to change it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import CursorResult, Engine

from iyu.console.analysis.read_only_connection import read_only_connection


@contextmanager
def read_only_query(
    engine: Engine, query: str, *, seconds: float | None = None
) -> Iterator[CursorResult[Any]]:
    """Give the rows of a query, streamed; stopped after `seconds`.

    Raises InputError with the database's own message, DatabaseUnavailable.
    """
    with read_only_connection(engine, seconds=seconds) as connection:
        rows = connection.exec_driver_sql(query)
        rows.keys()
        yield rows


def column_names(rows: CursorResult[Any]) -> list[str]:
    """Return the names of a result's columns."""
    return list(rows.keys())
