"""How far readers are behind the results feed, and whether webhooks are taken."""

from typing import Any, Final

from sqlalchemy import Connection, func, select, text

from iyu.console.metrics.figures import FeedFigures
from iyu.schemas.contract.review import utc_now
from iyu.schemas.results.cursor import Cursor, CursorError
from iyu.schemas.sql.tables import UtcDateTime, result_consumers, webhook_deliveries, webhooks

#: Readers of each kind that are looked at, those that moved longest ago first.
MOST_READERS: Final = 50

_NEXT: Final = {
    "sqlite": "WHERE e.id > :event_id ORDER BY e.id LIMIT 1",
    "postgresql": """
        WHERE (e.xid, e.id) > (CAST(CAST(:transaction AS text) AS xid8), :event_id)
        ORDER BY e.xid, e.id LIMIT 1""",
}
#: The oldest event that nobody can read yet: a transaction that began before it still runs.
_HELD_BACK: Final = """
    SELECT e.happened_at FROM result_events AS e
    WHERE e.xid >= pg_snapshot_xmin(pg_current_snapshot()) ORDER BY e.xid, e.id LIMIT 1
"""


def read_feed(connection: Connection) -> FeedFigures:
    """Read it."""
    consumers = select(result_consumers.c.cursor).order_by(result_consumers.c.moved_at)
    receivers = select(webhooks.c.cursor).where(webhooks.c.ended_at.is_(None))
    due = select(func.count(), func.coalesce(func.sum(webhook_deliveries.c.attempts), 0))
    waiting, attempts = connection.execute(due).one()
    return FeedFigures(
        lag_seconds={
            "held-back": _held_back(connection),
            "consumers": _slowest(connection, consumers),
            "webhooks": _slowest(connection, receivers),
        },
        webhooks=_webhooks_by_state(connection),
        deliveries_waiting=int(waiting),
        deliveries_attempted=int(attempts),
        given_up=int(connection.execute(select(func.sum(webhooks.c.given_up))).scalar() or 0),
    )


def _slowest(connection: Connection, cursors: Any) -> float:
    found = connection.scalars(cursors.limit(MOST_READERS)).all()
    return max((_behind(connection, cursor) for cursor in found), default=0.0)


def _behind(connection: Connection, cursor: str) -> float:
    """Return the seconds since the first event behind a cursor happened, 0 if there is none."""
    try:
        at = Cursor.parse(cursor)
    except CursorError:  # its reader is told by the feed itself
        return 0.0
    query = "SELECT e.happened_at FROM result_events AS e " + _NEXT[connection.dialect.name]
    return _age(connection, query, transaction=at.transaction, event_id=at.event_id)


def _held_back(connection: Connection) -> float:
    return 0.0 if connection.dialect.name == "sqlite" else _age(connection, _HELD_BACK)


def _age(connection: Connection, query: str, **given: int) -> float:
    typed = text(query).columns(happened_at=UtcDateTime())
    moment = connection.execute(typed, given).scalar()
    return max((utc_now() - moment).total_seconds(), 0.0) if moment else 0.0


def _webhooks_by_state(connection: Connection) -> dict[str, int]:
    failing = webhooks.c.failing_since.is_not(None)
    query = select(
        func.count().filter(webhooks.c.ended_at.is_(None), ~failing),
        func.count().filter(webhooks.c.ended_at.is_(None), failing),
        func.count().filter(webhooks.c.ended_at.is_not(None)),
    ).select_from(webhooks)
    return dict(zip(("active", "failing", "ended"), connection.execute(query).one(), strict=True))
