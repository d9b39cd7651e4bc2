"""The page's way to the database: it can read only, and no query outlasts its time."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from iyu.console.analysis.read_only_connection import confine
from iyu.console.web.queries.answer import Answer, TimeLimit
from iyu.schemas.contract.settings import sqlite_path
from iyu.schemas.sql.engine import connect, reading

#: Seconds a question of a page may take.
QUESTION_SECONDS: Final = 3.0


class Database:
    """Reads from one database, each question in a session of its own."""

    def __init__(self, address: str, seconds: float = QUESTION_SECONDS) -> None:
        path = sqlite_path(address)
        self.engine = _sqlite_engine(path) if path else _postgresql_engine(address)
        self._seconds = seconds

    @contextmanager
    def session(self, seconds: float | None = None) -> Iterator[Connection]:
        """Give a read-only transaction with a time limit.

        Raises DatabaseUnavailable; what is run in it raises TimeLimit.
        """
        with reading(self.engine) as connection, confine(connection, seconds or self._seconds):
            yield connection

    def ask(self, question: Callable[..., Answer], *about: Any, **more: Any) -> Answer:
        """Ask one question; where it takes too long, the answer is empty and says so."""
        try:
            with self.session() as connection:
                return question(connection, *about, **more)
        except TimeLimit as limit:
            return Answer((), (), limit.sql, is_complete=False)

    def close(self) -> None:
        """Let the connections go."""
        self.engine.dispose()


def _sqlite_engine(path: Path) -> Engine:
    # The file is opened for reading, so that no mistake of ours could write.
    address = f"file:{quote(str(path.absolute()))}?mode=ro"

    def open_file() -> sqlite3.Connection:
        # A connection serves one request at a time, but not always on the same thread.
        return sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)

    engine = create_engine(
        f"sqlite:///{path}", creator=open_file, poolclass=QueuePool, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA cache_size = -65536")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")  # all queries of a session see one state

    return engine


def _postgresql_engine(address: str) -> Engine:
    # All queries of a session see one state.
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return connect(address).execution_options(**options)
