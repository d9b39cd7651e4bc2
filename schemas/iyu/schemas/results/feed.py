"""Read the feed: everything committed behind a cursor, in the order of the feed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Engine, Row, bindparam, text

from iyu.schemas.results.cursor import Cursor
from iyu.schemas.results.epoch import Feed, read_feed
from iyu.schemas.results.events import Kind
from iyu.schemas.sql.engine import reading
from iyu.schemas.sql.tables import UtcDateTime

#: Events of one batch; each is a chunk of up to 512 reviews.
EVENTS_AT_ONCE: Final = 8

#: Rows of transactions that are older than every one still running: nothing can come before them.
_SETTLED: Final = {
    "sqlite": "",
    "postgresql": "AND e.xid < pg_snapshot_xmin(pg_current_snapshot())",
}
_AFTER: Final = {
    "sqlite": "(e.xid, e.id) >= (:transaction, :event_id)",
    "postgresql": "(e.xid, e.id) >= (CAST(CAST(:transaction AS text) AS xid8), :event_id)",
}
_XID: Final = {"sqlite": "e.xid", "postgresql": "CAST(CAST(e.xid AS text) AS bigint)"}

_EVENTS: Final = """
SELECT {xid} AS xid, e.id, e.kind, e.source, e.review_ids, e.happened_at
FROM result_events AS e
WHERE {after} {settled}
ORDER BY e.xid, e.id
LIMIT :events
"""
_SCORES: Final = text("""
SELECT review_id, text, submitted_at, written_at, model, model_version, probability, label
FROM review_scores
WHERE source = :source AND review_id IN :review_ids
""").bindparams(bindparam("review_ids", expanding=True))


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the feed. A scored review is given as it stands when it is read."""

    event_id: str  # the same if the line is read again: drop doubles by it
    cursor: str  # reading goes on behind this line
    kind: Kind
    happened_at: datetime  # when it was written, shortly before it was committed
    source: str | None = None
    review_id: str | None = None  # None for a model, and for a message that names no review
    model: str | None = None
    model_version: str | None = None
    probability: float | None = None  # of positive
    label: str | None = None  # positive or negative
    submitted_at: datetime | None = None
    written_at: datetime | None = None  # None where it is unknown
    text: str | None = None
    #: Its tokens by every stored method, where heat was wanted: method, surface, start, end, heat.
    heat: tuple[dict[str, Any], ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what there is, by name, as JSON takes it."""
        named = {name: getattr(self, name) for name in self.__slots__}
        times = {k: v.isoformat() for k, v in named.items() if isinstance(v, datetime)}
        return {k: v for k, v in (named | times).items() if v is not None}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which scored reviews are wanted; other events are never filtered but by source."""

    sources: Sequence[str] = ()  # none: all
    label: str | None = None
    below: float | None = None  # probability
    above: float | None = None

    def takes(self, result: Result) -> bool:
        """Say whether a line passes."""
        if self.sources and result.source is not None and result.source not in self.sources:
            return False
        if result.kind is not Kind.SCORED or result.probability is None:
            return True
        return (
            self.label in (None, result.label)
            and (self.below is None or result.probability < self.below)
            and (self.above is None or result.probability > self.above)
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines in order, and where reading goes on; it moves past lines that were filtered out."""

    results: tuple[Result, ...]
    after: Cursor
    is_last: bool = field(default=False)  # nothing more stood in the feed just now


def read_results(engine: Engine, after: Cursor, wanted: Filter | None = None) -> Iterator[Batch]:
    """Read to the end of the feed, batch by batch; hand each over before the next is read.

    Raises CursorError, DatabaseUnavailable.
    """
    while True:
        with reading(engine) as connection:
            batch = read_batch(connection, after, wanted)
        yield batch
        if batch.is_last:
            return
        after = batch.after


def read_batch(
    connection: Connection,
    after: Cursor,
    wanted: Filter | None = None,
    events: int = EVENTS_AT_ONCE,
) -> Batch:
    """Read the next events. Raises CursorError where the cursor cannot be followed."""
    feed = read_feed(connection)
    feed.check(after)
    found = _events(connection, after, events)
    results: list[Result] = []
    end = after
    for event in found:
        here = Cursor(feed.epoch, int(event.xid), event.id)
        start = after.position + 1 if _is_same_event(after, here) else 0
        results += _lines(connection, feed, event, here, start)
        end = here
    kept = tuple(result for result in results if wanted is None or wanted.takes(result))
    return Batch(kept, end, is_last=len(found) < events)


def end_of_feed(connection: Connection) -> Cursor:
    """Return the cursor behind everything that can be read now."""
    dialect = connection.dialect.name
    query = (
        f"SELECT {_XID[dialect]} AS xid, e.id FROM result_events AS e "
        f"WHERE 1 = 1 {_SETTLED[dialect]} ORDER BY e.xid DESC, e.id DESC LIMIT 1"
    )
    last = connection.execute(text(query)).first()
    feed = read_feed(connection)
    return Cursor(feed.epoch, int(last.xid), last.id) if last else feed.start


def _events(connection: Connection, after: Cursor, events: int) -> Sequence[Row[Any]]:
    dialect = connection.dialect.name
    query = _EVENTS.format(xid=_XID[dialect], after=_AFTER[dialect], settled=_SETTLED[dialect])
    typed = text(query).columns(happened_at=UtcDateTime())
    found = connection.execute(
        typed,
        # One more: the event that the cursor stands in may have no line left.
        {"transaction": after.transaction, "event_id": after.event_id, "events": events + 1},
    ).all()
    return [event for event in found if not _is_behind(after, event)][:events]


def _is_behind(after: Cursor, event: Row[Any]) -> bool:
    """Say whether all lines of an event stand before the cursor."""
    same = (event.xid, event.id) == (after.transaction, after.event_id)
    return same and after.position + 1 >= max(1, len(_review_ids(event)))


def _is_same_event(after: Cursor, here: Cursor) -> bool:
    return (after.transaction, after.event_id) == (here.transaction, here.event_id)


def _lines(
    connection: Connection, feed: Feed, event: Row[Any], here: Cursor, start: int
) -> Iterator[Result]:
    review_ids = _review_ids(event)
    scores = _scores(connection, event, review_ids[start:])
    for position, review_id in list(enumerate(review_ids or [None]))[start:]:
        line = Result(
            event_id=f"{feed.epoch}-{here.transaction}-{here.event_id}-{position}",
            cursor=str(replace(here, position=position)),
            kind=Kind(event.kind),
            happened_at=event.happened_at,
            source=event.source,
            review_id=review_id,
        )
        if line.kind is not Kind.SCORED:
            yield line
        elif score := scores.get(review_id):  # else: erased or replaced, which has its own event
            yield replace(line, **score)


def _review_ids(event: Row[Any]) -> list[str]:
    ids = event.review_ids
    parsed: list[str] = orjson.loads(ids) if isinstance(ids, str) else ids
    return parsed


def _scores(
    connection: Connection, event: Row[Any], review_ids: Sequence[str]
) -> dict[str | None, dict[str, Any]]:
    """Return the present scores, by review_id."""
    if event.kind != Kind.SCORED or not review_ids:
        return {}
    query = _SCORES.columns(submitted_at=UtcDateTime(), written_at=UtcDateTime())
    found = connection.execute(query, {"source": event.source, "review_ids": list(review_ids)})
    return {
        row.review_id: {
            "text": row.text,
            "submitted_at": row.submitted_at,
            "written_at": row.written_at,
            "model": row.model,
            "model_version": row.model_version,
            "probability": row.probability,
            "label": "positive" if row.label else "negative",
        }
        for row in found
    }
