"""How far back the feed goes, and how far it lags behind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, select, text, update

from iyu.schemas.sql.tables import UtcDateTime, result_events, result_feed

#: Events of transactions that ended, held back by one that is still running.
_HELD_BACK: Final = """
SELECT COUNT(*) AS events, MIN(happened_at) AS oldest FROM result_events
WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())
"""


@dataclass(frozen=True, slots=True)
class Lag:
    """What is committed and cannot be read yet, because an older transaction still runs."""

    events: int
    oldest: datetime | None


def feed_lag(connection: Connection) -> Lag:
    """Return what a running transaction holds back; always nothing on SQLite."""
    if connection.dialect.name == "sqlite":
        return Lag(0, None)
    row = connection.execute(text(_HELD_BACK).columns(oldest=UtcDateTime())).one()
    return Lag(int(row.events), row.oldest)


def prune_feed(connection: Connection, before: datetime) -> int:
    """Delete events from before a time; return how many. Cursors that stand there are refused.

    Only a whole beginning of the feed goes: an old time behind a newer one waits for it.
    """
    events = result_events.c
    newer = (
        select(events.xid, events.id)
        .where(events.happened_at >= before)
        .order_by(events.xid, events.id)
        .limit(1)
    )
    first: Any = connection.execute(newer).first()
    condition = events.happened_at < before
    if connection.dialect.name == "postgresql":  # what nobody could read yet stays
        condition = condition & text("xid < pg_snapshot_xmin(pg_current_snapshot())")
    if first is not None:
        same = (events.xid < first.xid) | ((events.xid == first.xid) & (events.id < first.id))
        condition = condition & same
    last = connection.execute(
        select(events.xid, events.id)
        .where(condition)
        .order_by(events.xid.desc(), events.id.desc())
        .limit(1)
    ).first()
    if last is None:
        return 0
    gone = connection.execute(delete(result_events).where(condition))
    connection.execute(update(result_feed).values(pruned_xid=int(last.xid), pruned_id=last.id))
    return int(gone.rowcount)
