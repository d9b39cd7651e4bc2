"""Run one SELECT on the database, without any way to change it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine
from sqlalchemy.exc import DBAPIError, ResourceClosedError

from iyu.schemas.contract.errors import InputError
from iyu.schemas.sql.engine import reading

#: Makes the session refuse every change: the database itself decides, no parser of ours.
_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
}


@contextmanager
def read_only_query(engine: Engine, query: str) -> Iterator[CursorResult[Any]]:
    """Give the rows of a query, streamed.

    Raises InputError with the database's own message, DatabaseUnavailable.
    """
    with reading(engine) as connection:
        # The session is ours alone and closed at the end: in the pool, whoever took it next could
        # not write.
        connection.detach()
        connection.exec_driver_sql(_READ_ONLY[engine.dialect.name])
        connection.rollback()  # the next transaction is the read-only one
        with _translated():
            yield _execute(connection, query)


def column_names(rows: CursorResult[Any]) -> list[str]:
    """Return the names of a result's columns."""
    return list(rows.keys())


def _execute(connection: Connection, query: str) -> CursorResult[Any]:
    # no_parameters: a % in the query is a %.
    options = {"no_parameters": True, "stream_results": True}
    rows = connection.execution_options(**options).exec_driver_sql(query)
    rows.keys()
    return rows


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the database says of a query, at once or at a later row, into InputError."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated:  # the database went away
            raise
        cause = (str(error.orig).strip() or "it does not say why").splitlines()[0]
        raise InputError(f"the database refuses the query: {cause}") from None
    except sqlite3.Warning as error:  # two statements, before Python 3.12
        raise InputError(f"the database refuses the query: {error}") from None
    except UnicodeEncodeError:
        raise InputError("the query is not valid UTF-8; type it again") from None
    except ResourceClosedError:
        raise InputError("that is no query that gives rows; `iyu sql` only reads") from None
