"""What finished chunks add up to: counted from the ledger, and kept when it is pruned.

A total is what stands in `ledger_totals` (of chunks that were pruned) and the sum over the finished
chunks that are still there. `prune` moves one into the other in one transaction.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Label,
    Select,
    case,
    delete,
    extract,
    func,
    literal_column,
    not_,
    select,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from iyu.schemas.contract.message import Rescore, read_purpose
from iyu.schemas.ledger.chunks import State, is_open
from iyu.schemas.sql.tables import chunks, ledger_totals

#: Upper bounds of the histograms' buckets, in seconds.
WAITING_BUCKETS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
SCORING_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
                          300, 600, 1800)  # fmt: skip
#: All queues of models that score stored reviews again, as one: their number has no limit.
RESCORE: Final = "reviews.rescore"
#: When a chunk came in. `submitted_at` is older for what was replayed or is rescored.
came_in_at: Final = func.coalesce(chunks.c.queued_at, chunks.c.submitted_at)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums by (queue, measure).

    Measures: chunks.STATE and reviews.STATE for each final state, retries, swept; and for done
    chunks waiting.count and waiting.seconds (a review each), waiting.le.BOUND (reviews that waited
    no longer), the same with scoring (a chunk each).
    """

    values: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def __add__(self, other: "Totals") -> "Totals":
        """Return both together."""
        together: dict[tuple[str, str], float] = defaultdict(float, self.values)
        for key, value in other.values.items():
            together[key] += value
        return Totals(dict(together))

    def of(self, queue: str, measure: str) -> float:
        """Return one sum, 0 if nothing was counted."""
        return self.values.get((queue, measure), 0.0)

    def everywhere(self, measure: str) -> float:
        """Return a measure's sum over all queues."""
        return sum(value for (_, name), value in self.values.items() if name == measure)


def queue_group(queue: str) -> str:
    """Return the name under which a queue is counted."""
    return RESCORE if isinstance(read_purpose(queue), Rescore) else queue


def count_finished(connection: Connection, *conditions: ColumnElement[bool]) -> Totals:
    """Sum over finished chunks; give a range of `finished_at`, which has an index."""
    query = _sums(connection.dialect.name, conditions)
    together = Totals()
    for row in connection.execute(query):
        together += Totals(dict(_measures(row._asdict())))
    return together


def read_pruned(connection: Connection) -> Totals:
    """Return what was counted of chunks that are pruned."""
    rows = connection.execute(select(ledger_totals))
    return Totals({(row.queue, row.measure): row.value for row in rows})


def prune(connection: Connection, before: datetime) -> int:
    """Delete chunks that were finished before a time, and keep what they add up to.

    Returns how many were deleted.
    """
    old = chunks.c.finished_at < before
    _fold(connection, old)
    deleted = delete(chunks).where(old, not_(is_open))
    return int(connection.execute(deleted).rowcount)


def _fold(connection: Connection, *conditions: ColumnElement[bool]) -> None:
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        # Of two prunes at once, the second counts what the first has left.
        connection.exec_driver_sql("LOCK TABLE ledger_totals IN SHARE ROW EXCLUSIVE MODE")
    counted = count_finished(connection, *conditions)
    rows = [
        {"queue": queue, "measure": measure, "value": value}
        for (queue, measure), value in counted.values.items()
        if value
    ]
    if not rows:
        return
    dialect = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    new = dialect(ledger_totals)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["queue", "measure"],
            set_={"value": ledger_totals.c.value + new.excluded.value},
        ),
        rows,
    )


def _measures(row: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], float]]:
    queue, state = queue_group(row["queue"]), row["state"]
    for name, value in row.items():
        if name in {"queue", "state"} or not value:
            continue
        yield (queue, f"{name}.{state}" if name in {"chunks", "reviews"} else name), float(value)


def _sums(dialect: str, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    waiting = _seconds_between(dialect, came_in_at, chunks.c.started_at)
    scoring = _seconds_between(dialect, chunks.c.started_at, chunks.c.finished_at)
    done = chunks.c.state == State.DONE
    one = (
        select(
            chunks.c.queue,
            chunks.c.state,
            chunks.c.review_count,
            case((chunks.c.attempts > 1, chunks.c.attempts - 1), else_=0).label("retries"),
            chunks.c.swept,
            case((done, waiting)).label("waiting"),
            case((done, scoring)).label("scoring"),
        )
        .where(not_(is_open), *conditions)
        # Or both databases compute a time anew for each bucket that it is compared with.
        .cte("finished")
        .prefix_with("MATERIALIZED")
    )
    return select(
        one.c.queue,
        one.c.state,
        func.count().label("chunks"),
        func.sum(one.c.review_count).label("reviews"),
        func.sum(one.c.retries).label("retries"),
        func.sum(one.c.swept).label("swept"),
        *_histogram("waiting", one.c.waiting, one.c.review_count, WAITING_BUCKETS),
        *_histogram("scoring", one.c.scoring, literal_column("1"), SCORING_BUCKETS),
    ).group_by(one.c.queue, one.c.state)


def _histogram(
    name: str, seconds: Any, weight: Any, bounds: tuple[float, ...]
) -> Iterator[Label[Any]]:
    yield func.sum(case((seconds.is_not(None), weight), else_=0)).label(f"{name}.count")
    # Clocks of two machines may differ by a little: no time is below zero.
    yield func.sum(case((seconds > 0, seconds * weight), else_=0)).label(f"{name}.seconds")
    for bound in bounds:
        yield func.sum(case((seconds <= bound, weight), else_=0)).label(f"{name}.le.{bound:g}")


def _seconds_between(dialect: str, earlier: Any, later: Any) -> Any:
    if dialect == "sqlite":
        return (func.julianday(later) - func.julianday(earlier)) * 86_400.0
    return extract("epoch", later - earlier)
