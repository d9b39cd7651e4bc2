"""A connection that can only read, with a time limit: what `iyu sql` and every page stand on.

PostgreSQL: a read-only transaction that cannot be left, one statement at a time, because each is
declared as a cursor. Of a superuser it does not take the functions that act on the server itself
(`pg_reload_conf`, `pg_read_file`): for that there is the reader role, see `reader_role`.
SQLite: `query_only`, and an authorizer that lets a statement do nothing but read this file.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, ResourceClosedError

from iyu.schemas.contract.errors import InputError
from iyu.schemas.sql.engine import reading

#: Tables that hold secrets: no query reads them. On PostgreSQL the reader role cannot either.
SECRET_TABLES: Final = frozenset({"webhook_secrets", "gateway_tokens"})
#: Seconds between two attempts to stop a query whose time is over.
CANCEL_EVERY: Final = 1.0
#: SQLite's steps between two looks at the clock.
STEPS_BETWEEN_LOOKS: Final = 10_000
#: Pragmas that describe the tables and change nothing.
_DESCRIBING: Final = frozenset(
    {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "database_list"}
)
_READING: Final = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
#: PostgreSQL's code for a statement that was cancelled or ran into its time limit.
_QUERY_CANCELED: Final = "57014"


@contextmanager
def read_only_connection(engine: Engine, *, seconds: float | None = None) -> Iterator[Connection]:
    """Give a connection on which every statement is one query, and no query changes anything.

    seconds: after so many, whatever runs on it is stopped; None: no limit.

    Raises InputError with the database's own message for a query that fails, takes too long or
    would change something; DatabaseUnavailable.
    """
    with reading(engine) as connection:
        # The session is ours alone and closed at the end: in the pool, whoever took it next could
        # not write.
        connection.detach()
        with confine(connection, seconds), _raising_input_error(seconds):
            # no_parameters: a % in a query is a %. stream_results: a cursor, so SELECT alone.
            yield connection.execution_options(no_parameters=True, stream_results=True)


@contextmanager
def confine(connection: Connection, seconds: float | None) -> Iterator[None]:
    """Let a fresh connection only read until the end, and stop what runs on it after `seconds`.

    The session stays read-only on PostgreSQL: its pool is one of readers, or it is detached.
    """
    on_sqlite = connection.dialect.name == "sqlite"
    with (_confine_sqlite if on_sqlite else _confine_postgresql)(connection, seconds):
        yield


def is_superuser(connection: Connection) -> bool:
    """Whether this session may act on the database server itself; never on SQLite."""
    if connection.dialect.name == "sqlite":
        return False
    setting = connection.exec_driver_sql("SELECT current_setting('is_superuser')")
    return bool(setting.scalar_one() == "on")


@contextmanager
def _confine_postgresql(connection: Connection, seconds: float | None) -> Iterator[None]:
    connection.exec_driver_sql("SET default_transaction_read_only = on")
    if seconds is not None:
        connection.exec_driver_sql(f"SET statement_timeout = {max(1, int(seconds * 1000))}")
    connection.commit()
    raw: Any = connection.connection.dbapi_connection
    raw.read_only = True
    connection.exec_driver_sql("SELECT 1")  # from its first query on, a transaction keeps its mode
    with _cancelling(raw, seconds):
        yield


@contextmanager
def _cancelling(raw: Any, seconds: float | None) -> Iterator[None]:
    """Stop what runs after the time limit: `set_config` in a query can raise the server's own."""
    if seconds is None:
        yield
        return
    done = Event()
    thread = Thread(target=_cancel_when_over, args=(raw, seconds, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _cancel_when_over(raw: Any, seconds: float, done: Event) -> None:
    import psycopg

    over = done.wait(seconds)
    while not over:
        with suppress(psycopg.Error, OSError):
            raw.cancel_safe(timeout=CANCEL_EVERY)
        over = done.wait(CANCEL_EVERY)


@contextmanager
def _confine_sqlite(connection: Connection, seconds: float | None) -> Iterator[None]:
    connection.exec_driver_sql("PRAGMA query_only = ON")
    # SQLite declares a table of functions at its first use, which the authorizer would deny.
    connection.exec_driver_sql("SELECT 1 FROM json_each('[]'), json_tree('[]')").close()
    raw: Any = connection.connection.dbapi_connection
    raw.set_authorizer(_authorize)
    if seconds is not None:
        deadline = time.monotonic() + seconds
        raw.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_BETWEEN_LOOKS)
    try:
        yield
    finally:  # or the ROLLBACK at the end is denied too
        raw.set_authorizer(None)
        raw.set_progress_handler(None, 0)


def _authorize(action: int, first: str | None, second: str | None, *_where: str | None) -> int:
    """Allow what reads this file's tables; deny ATTACH, transactions, changes and secrets."""
    allowed = action in _READING or (action == sqlite3.SQLITE_PRAGMA and first in _DESCRIBING)
    if action == sqlite3.SQLITE_READ and first in SECRET_TABLES:
        allowed = False
    if action == sqlite3.SQLITE_FUNCTION and second == "load_extension":
        allowed = False
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


@contextmanager
def _raising_input_error(seconds: float | None) -> Iterator[None]:
    """Raise InputError for what the database says of a query, at once or at a later row."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated:  # the database went away
            raise
        if seconds is not None and _was_stopped(error.orig):
            raise InputError(
                f"the query was stopped after {seconds:g} s; narrow it, for example by "
                "submitted_at or with LIMIT"
            ) from None
        cause = (str(error.orig).strip() or "it does not say why").splitlines()[0]
        raise InputError(f"the database refuses the query: {cause}") from None
    except sqlite3.Warning as error:  # two statements, before Python 3.12
        raise InputError(f"the database refuses the query: {error}") from None
    except UnicodeEncodeError:
        raise InputError("the query is not valid UTF-8; type it again") from None
    except ResourceClosedError:
        raise InputError("that is no query that gives rows; only reading is possible") from None


def _was_stopped(error: BaseException | None) -> bool:
    return (
        getattr(error, "sqlstate", None) == _QUERY_CANCELED
        or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
    )
