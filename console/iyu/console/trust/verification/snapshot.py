"""One moment of a database that others write to."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from iyu.schemas.sql.engine import reading


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Give a connection on which all statements see one moment.

    A review that a worker replaces meanwhile is seen whole, as it was or as it is: a text beside
    another text's score is then a fault and not an accident. Workers are not held up.

    Raises DatabaseUnavailable.
    """
    with reading(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        yield connection  # SQLite's transactions see one moment anyway
