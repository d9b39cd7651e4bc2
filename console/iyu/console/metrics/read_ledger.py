"""Figures of the ledger and its dead letters: each from an index, none by reading everything."""

from typing import Any

from sqlalchemy import Connection, Row, func, select

from iyu.console.metrics.figures import LedgerFigures, Pending
from iyu.console.metrics.running_totals import RunningTotals
from iyu.schemas.contract.review import Reason, utc_now
from iyu.schemas.ledger.chunks import is_open
from iyu.schemas.ledger.totals import RESCORE, came_in_at, queue_group
from iyu.schemas.sql.tables import UtcDateTime, chunks, dead_letters


def read_ledger(connection: Connection, totals: RunningTotals) -> LedgerFigures:
    """Read it in this transaction, which must be one snapshot."""
    dead_open, dead_buried = _read_dead_letters(connection)
    rows = _open_rows(connection)
    return LedgerFigures(
        _add_up(rows),
        totals.read(connection),
        dead_open,
        dead_buried,
        sorted({row.queue for row in rows if queue_group(row.queue) == RESCORE}),
    )


def _open_rows(connection: Connection) -> list[Row[Any]]:
    query = (
        select(
            chunks.c.queue,
            chunks.c.state,
            func.count().label("chunks"),
            func.sum(chunks.c.review_count).label("reviews"),
            func.sum(chunks.c.swept).label("swept"),
            func.min(came_in_at, type_=UtcDateTime()).label("oldest"),
        )
        .where(is_open)
        .group_by(chunks.c.queue, chunks.c.state)
    )
    return list(connection.execute(query))


def _add_up(rows: list[Row[Any]]) -> list[Pending]:
    found: dict[tuple[str, str], Pending] = {}
    for row in rows:
        one = _pending(row)
        key = one.queue, one.state
        found[key] = _together(found[key], one) if key in found else one
    return list(found.values())


def _pending(row: Row[Any]) -> Pending:
    age = (utc_now() - row.oldest).total_seconds()
    return Pending(
        queue_group(row.queue),
        row.state,
        int(row.chunks),
        int(row.reviews),
        int(row.swept),
        max(age, 0.0),
    )


def _together(one: Pending, other: Pending) -> Pending:
    return Pending(
        one.queue,
        one.state,
        one.chunks + other.chunks,
        one.reviews + other.reviews,
        one.swept + other.swept,
        max(one.oldest_seconds, other.oldest_seconds),
    )


def _read_dead_letters(connection: Connection) -> tuple[dict[str, int], dict[str, int]]:
    """Return open letters and burials by reason; from ix_dead_letters_reason alone."""
    waiting = func.count().filter(dead_letters.c.replayed_at.is_(None))
    query = select(dead_letters.c.reason, waiting, func.sum(dead_letters.c.seen)).group_by(
        dead_letters.c.reason
    )
    found = {reason: (int(count), int(seen)) for reason, count, seen in connection.execute(query)}
    # From the first scrape on: a counter that begins at 1 is no increase to Prometheus.
    each = {reason.value: found.get(reason, (0, 0)) for reason in Reason}
    return (
        {reason: count for reason, (count, _) in each.items()},
        {reason: seen for reason, (_, seen) in each.items()},
    )
