"""Ask the database one SELECT, without any way to change it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine
from sqlalchemy.exc import DBAPIError, ResourceClosedError

from iyu.schemas.contract.errors import InputError
from iyu.schemas.sql.engine import reading

#: Makes the session refuse every change; the last word is the database's, not a parser's of ours.
_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
}


@contextmanager
def asked(engine: Engine, query: str) -> Iterator[CursorResult[Any]]:
    """Give the rows of a query, streamed.

    Raises InputError with the database's own message, DatabaseUnavailable.
    """
    with reading(engine) as connection:
        connection.exec_driver_sql(_READ_ONLY[engine.dialect.name])
        connection.rollback()  # the next transaction is the read-only one
        yield _execute(connection, query)


def column_names(rows: CursorResult[Any]) -> Sequence[str]:
    """Return the names of a result's columns."""
    return list(rows.keys())


def _execute(connection: Connection, query: str) -> CursorResult[Any]:
    try:
        # no_parameters: a % in the query is a %.
        options = {"no_parameters": True, "stream_results": True}
        rows = connection.execution_options(**options).exec_driver_sql(query)
        rows.keys()
    except DBAPIError as error:
        cause = str(error.orig).strip().splitlines()[0]
        raise InputError(f"the database refuses the query: {cause}") from None
    except ResourceClosedError:
        raise InputError("that is no query that gives rows; `iyu sql` only reads") from None
    return rows
