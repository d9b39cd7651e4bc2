"""How far the work is: pending reviews, the time until they are scored, a batch's outcome.

Producer, command line, page and metrics all read these figures, so that they never disagree.
Pending reviews are those of chunks that are queued or running.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from iyu.schemas.ledger.chunks import OPEN, State, is_open
from iyu.schemas.sql.clock import database_now
from iyu.schemas.sql.tables import chunks, dead_letters

#: Seconds over which the workers' rate is measured: long enough to hold several bulk chunks of
#: a slow worker, short enough to notice within a minute that workers were added or stopped.
RATE_WINDOW: Final = 60

_reviews = func.coalesce(func.sum(chunks.c.review_count), 0)


@dataclass(frozen=True, slots=True)
class PendingReviews:
    """Pending reviews by state, and the queued ones by queue."""

    queued: dict[str, int]  # reviews by queue; a queue without any is absent
    running: int  # reviews

    @property
    def total(self) -> int:
        """Queued and running reviews."""
        return sum(self.queued.values()) + self.running


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a batch is, in reviews."""

    scored: int
    dead: int
    pending: int
    last_row_at: datetime | None  # when the last scored chunk was committed; None: none yet

    @property
    def finished(self) -> bool:
        """Whether no review of the batch is pending."""
        return self.pending == 0


def pending(connection: Connection) -> int:
    """Count the pending reviews of all queues."""
    return _sum_reviews(connection, is_open)


def pending_by_queue(connection: Connection) -> PendingReviews:
    """Count the pending reviews by state and queue."""
    query = (
        select(chunks.c.queue, chunks.c.state, func.sum(chunks.c.review_count))
        .where(is_open)
        .group_by(chunks.c.queue, chunks.c.state)
    )
    queued: dict[str, int] = {}
    running = 0
    for queue, state, reviews in connection.execute(query):
        if state == State.RUNNING:
            running += int(reviews)
        else:
            queued[queue] = int(reviews)
    return PendingReviews(queued, running)


def pending_in_queue(connection: Connection, queue: str) -> tuple[int, int]:
    """Count one queue's pending chunks, and the reviews in them."""
    query = select(func.count(), _reviews).where(chunks.c.queue == queue, is_open)
    count, reviews = connection.execute(query).one()
    return int(count), int(reviews)


def queued_reviews(connection: Connection, queue: str) -> int:
    """Count one queue's reviews that no worker has begun."""
    return _sum_reviews(connection, chunks.c.queue == queue, chunks.c.state == State.QUEUED)


def scored_recently(connection: Connection) -> int:
    """Count the reviews of the chunks finished within the last RATE_WINDOW seconds."""
    return finished_since(connection, database_now(connection) - timedelta(seconds=RATE_WINDOW))


def finished_since(connection: Connection, moment: datetime) -> int:
    """Count the reviews of the chunks that workers finished at a time or later."""
    return _sum_reviews(connection, chunks.c.state == State.DONE, chunks.c.finished_at >= moment)


def drain_seconds(connection: Connection, pending: int) -> float | None:
    """Estimate the seconds until `pending` reviews are scored; None if no worker finishes any."""
    scored = scored_recently(connection)
    return pending * RATE_WINDOW / scored if scored else None


def batch_outcome(connection: Connection, batch_id: str) -> Outcome:
    """Return how far a batch is, including the chunks that were split from its chunks."""
    states = {row.state: row for row in _reviews_by_state(connection, batch_id)}

    def reviews(*wanted: State) -> int:
        return sum(states[state].reviews for state in wanted if state in states)

    dead = _dead_in_done_chunks(connection, batch_id)
    done = states.get(State.DONE)
    return Outcome(
        scored=reviews(State.DONE) - dead,
        dead=reviews(State.DEAD) + dead,
        pending=reviews(*OPEN),
        last_row_at=done.last if done else None,
    )


def _sum_reviews(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    return int(connection.execute(select(_reviews).where(*conditions)).scalar_one())


def _reviews_by_state(connection: Connection, batch_id: str) -> list[Any]:
    query = (
        select(
            chunks.c.state,
            func.sum(chunks.c.review_count).label("reviews"),
            func.max(chunks.c.finished_at).label("last"),
        )
        .where(chunks.c.batch_id == batch_id)
        .group_by(chunks.c.state)
    )
    return list(connection.execute(query).all())


def _dead_in_done_chunks(connection: Connection, batch_id: str) -> int:
    query = (
        select(func.count())
        .select_from(dead_letters.join(chunks, dead_letters.c.chunk_id == chunks.c.chunk_id))
        .where(dead_letters.c.batch_id == batch_id, chunks.c.state == State.DONE)
        .where(dead_letters.c.replayed_at.is_(None))
    )
    return int(connection.execute(query).scalar_one())
