"""The page's way to the database: it can read only, and no query outlasts its time."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from iyu.console.web.queries.answer import Answer, TimeLimit
from iyu.schemas.contract.settings import sqlite_path
from iyu.schemas.sql.engine import connect, reading

#: Seconds a question of a page may take.
QUESTION_SECONDS: Final = 3.0
#: SQLite looks at the clock every so many steps of its virtual machine: about a millisecond.
_STEPS: Final = 20_000


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
        limit = seconds or self._seconds
        with reading(self.engine) as connection:
            if connection.dialect.name == "sqlite":
                with _watched(connection, limit):
                    yield connection
            else:
                connection.exec_driver_sql(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
                    f"SET LOCAL statement_timeout = {int(1000 * limit)}"
                )
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
    engine = connect(address)

    @event.listens_for(engine, "connect")
    def _read_only(connection: Any, _record: Any) -> None:
        connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        connection.commit()

    return engine


@contextmanager
def _watched(connection: Connection, seconds: float) -> Iterator[None]:
    raw: Any = connection.connection.driver_connection
    deadline = time.monotonic() + seconds
    raw.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)
