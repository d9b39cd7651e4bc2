"""Cursors that the database keeps for readers who have no place of their own."""

from sqlalchemy import Connection, insert, select, update

from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.review import utc_now
from iyu.schemas.results.cursor import Cursor
from iyu.schemas.sql.tables import result_consumers


class ConsumerBusy(IyuError):
    """Another process reads the feed under the same name."""


def read_consumer(connection: Connection, name: str) -> Cursor | None:
    """Return where a consumer stands, None for a new one."""
    query = select(result_consumers.c.cursor).where(result_consumers.c.name == name)
    cursor = connection.execute(query).scalar()
    return None if cursor is None else Cursor.parse(cursor)


def move_consumer(connection: Connection, name: str, was: Cursor | None, now: Cursor) -> None:
    """Move a consumer on, after its lines were handed over.

    Raises ConsumerBusy where somebody else has moved it meanwhile.
    """
    values = {"cursor": str(now), "moved_at": utc_now()}
    if was is None and read_consumer(connection, name) is None:
        connection.execute(insert(result_consumers).values(name=name, **values))
        return
    moved = connection.execute(
        update(result_consumers)
        .where(result_consumers.c.name == name, result_consumers.c.cursor == str(was))
        .values(values)
    )
    if not moved.rowcount:
        raise ConsumerBusy(
            f"another process reads the results feed as {name!r}; give each its own --consumer"
        )
