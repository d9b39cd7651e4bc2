"""The ledger: every chunk, from accepted to done, as one state machine.

    (new) ──accept──▶ queued ──begin──▶ running ──finish──▶ done
                        ▲ │               │ │ └──split──▶ split   (a new chunk a review, queued)
                        │ └─take_lost──┐  │ └─────bury──▶ dead    (a dead letter)
                        └──────────────┴──┘ hand_back / begin again

Used by producer, worker and sweeper alike. Every function takes an open transaction; none commits.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    case,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from iyu.schemas.contract.message import Chunk, new_id, pack, read_purpose, unpack
from iyu.schemas.contract.review import Reason
from iyu.schemas.contract.times import FUTURE_TOLERANCE
from iyu.schemas.ledger.content_hash import content_hash
from iyu.schemas.ledger.dead_letters import bury_raw
from iyu.schemas.sql.clock import database_clock, database_now
from iyu.schemas.sql.tables import chunks


class State(StrEnum):
    """The states of a chunk."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    SPLIT = "split"
    DEAD = "dead"


OPEN = (State.QUEUED, State.RUNNING)
#: Open chunks, in the words of their partial index: SQLite does not use it for bound values.
is_open: Final = chunks.c.state.in_([literal_column(f"'{state}'") for state in OPEN])
#: Pending, and failed at least once for a reason nobody foresaw.
FAILING = and_(is_open, chunks.c.failures > 0)
#: A producer notes its publishing later, or was killed before it could: then it went out, or was
#: about to, soon after it was accepted. Both by the database's clock; the time of submission is the
#: producer's, and decides only for a row of an older version.
_went_out = func.coalesce(chunks.c.published_at, chunks.c.accepted_at, chunks.c.submitted_at)
_one_attempt_less = case((chunks.c.attempts > 0, chunks.c.attempts - 1), else_=0)


@dataclass(frozen=True, slots=True)
class Begun:
    """What `begin` found: how often the chunk was begun, this time included, and its lineage."""

    attempts: int
    is_part: bool  # split from a chunk that kept failing: suspect
    # By the database's clock; None: it came as a message alone.
    accepted_at: datetime | None = field(default=None, compare=False)
    # What the chunk's time counts as; None: as it says.
    arrived_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """A chunk that failed for a reason nobody foresaw: how often, this time included."""

    failures: int
    is_part: bool
    accepted_at: datetime | None


def accept(connection: Connection, new: Sequence[Chunk]) -> None:
    """Add chunks with their payload, before anybody publishes them."""
    now = database_now(connection)
    rows = []
    for number, chunk in enumerate(new):
        row = _row(chunk) | {"accepted_at": now, "queued_at": now}
        if chunk.submitted_at > now + FUTURE_TOLERANCE:  # or all that comes later would be older
            # Still one after the other: of two texts of one review the later one stands.
            arrived = now + timedelta(microseconds=number)
            row |= {"submitted_at": arrived, "arrived_at": arrived}
        rows.append(row)
    connection.execute(insert(chunks), rows)


def accept_again(
    connection: Connection, new: Sequence[Chunk], *, parent_id: str | None = None
) -> None:
    """Add chunks of reviews that came in earlier: parts of a chunk, or dead letters.

    They have no time of acceptance of their own, so a review that was erased meanwhile stays so.
    """
    now = database_now(connection)  # they are published next
    rows = [_row(chunk, parent_id) | {"queued_at": now, "published_at": now} for chunk in new]
    connection.execute(insert(chunks), rows)


def mark_published(connection: Connection, chunk_ids: Sequence[str]) -> None:
    """Record that these chunks were published now."""
    connection.execute(
        update(chunks)
        .where(chunks.c.chunk_id.in_(chunk_ids))
        .values(published_at=database_clock(connection))
    )


def begin(connection: Connection, chunk: Chunk) -> Begun | None:
    """Count an attempt; None if the chunk is finished, and only its message came again.

    None too if another chunk has its id: `is_reused` says so.

    A chunk without a row (its publisher has no database) gets one here. A time of the future is
    replaced once, and stays what it was replaced by however often the message comes.
    """
    begun = _count_attempt(connection, chunk)
    if begun is None:
        row = _row(chunk) | {"published_at": database_clock(connection)}  # before now: it came
        added = connection.execute(_insert_or_nothing(connection, row))
        # Nothing added: it is finished, or another worker added it this instant.
        begun = _count_attempt(connection, chunk) if added.rowcount else None
    if begun is None or begun.arrived_at is not None:
        return begun
    return _with_arrival(connection, chunk, begun)


def is_reused(connection: Connection, chunk: Chunk) -> bool:
    """Whether the ledger knows this id, of a chunk of other reviews.

    Of a chunk from before that was kept, or whose reviews were erased in part, it does not say.
    """
    query = select(chunks.c.content_hash).where(chunks.c.chunk_id == chunk.chunk_id)
    known = connection.execute(query).scalar()
    return known is not None and known != content_hash(chunk)


def count_failure(
    connection: Connection, chunk_id: str, error: str, queue: str | None = None
) -> Failure | None:
    """Count a failure that nobody foresaw; None if the ledger has no such pending chunk.

    Its attempt is taken back: no process died. error: the type's name, never its text, which may
    hold a review. queue: where its message goes now, if elsewhere.
    """
    counted = connection.execute(
        update(chunks)
        .where(chunks.c.chunk_id == chunk_id, chunks.c.state.in_(OPEN))
        .values(
            state=State.QUEUED,
            failures=chunks.c.failures + 1,
            error=error[:100],
            published_at=database_clock(connection),
            attempts=_one_attempt_less,
            queue=queue or chunks.c.queue,
        )
        .returning(chunks.c.failures, chunks.c.parent_id, chunks.c.accepted_at)
    ).one_or_none()
    if counted is None:
        return None
    return Failure(counted.failures, counted.parent_id is not None, counted.accepted_at)


def finish(connection: Connection, chunk_id: str, state: State = State.DONE) -> bool:
    """Close a chunk and delete its payload; False if somebody else has closed it.

    Call it first in its transaction: it locks the chunk, so that of two workers with the same
    chunk one scores it or the other buries it, never both.
    """
    closed = connection.execute(
        update(chunks)
        .where(chunks.c.chunk_id == chunk_id, chunks.c.state.in_(OPEN))
        .values(state=state, finished_at=database_clock(connection), payload=None)
    )
    return bool(closed.rowcount)


def hand_back(connection: Connection, chunk_ids: Sequence[str]) -> None:
    """Uncount an attempt that failed for no fault of the chunk."""
    connection.execute(
        update(chunks)
        .where(chunks.c.chunk_id.in_(chunk_ids), chunks.c.state.in_(OPEN))
        .values(
            state=State.QUEUED,
            # Its message went back to the end of the queue.
            published_at=database_clock(connection),
            attempts=_one_attempt_less,
        )
    )


def split(connection: Connection, chunk: Chunk) -> list[Chunk]:
    """Replace a chunk that keeps failing by one a review, queued and yet to be published.

    Straight to single reviews: every death of a process costs the seconds that TensorFlow takes
    to load, and halving would need one a level. Empty if somebody else has closed the chunk.
    """
    if not finish(connection, chunk.chunk_id, State.SPLIT):
        return []
    parts = [replace(chunk, chunk_id=new_id(), reviews=(review,)) for review in chunk.reviews]
    accept_again(connection, parts, parent_id=chunk.chunk_id)
    return parts


def published_at(connection: Connection, chunk_id: str) -> datetime | None:
    """Return when a chunk was published; None for one that is not in the ledger."""
    moment: datetime | None = connection.execute(
        select(_went_out).where(chunks.c.chunk_id == chunk_id)
    ).scalar()
    return moment


def take_lost(
    connection: Connection,
    queue: str,
    *,
    published_before: datetime,
    begun_before: datetime,
    held: Collection[str],
    limit: int,
) -> list[Chunk]:
    """Take a queue's open chunks that the broker does not hold, and mark them published.

    published_before: chunks published earlier have left the queue. begun_before: chunks begun
    earlier are not being scored any more. held: chunks a worker has and did not acknowledge.
    Two sweepers at once take different chunks (SKIP LOCKED; SQLite has one writer anyway).
    """
    lost: Select[Any] = (
        select(chunks)
        .where(
            is_open,
            chunks.c.queue == queue,
            _went_out < published_before,
            or_(chunks.c.state == State.QUEUED, chunks.c.started_at < begun_before),
            chunks.c.payload.is_not(None),
        )
        .order_by(_went_out)
        .limit(limit + len(held))
        .with_for_update(skip_locked=True)
    )
    found = [_chunk(row) for row in connection.execute(lost) if row.chunk_id not in held][:limit]
    whole = [chunk for chunk in found if chunk.reviews]
    if whole:
        _mark_swept(connection, [chunk.chunk_id for chunk in whole])
    for chunk in found:
        if not chunk.reviews:
            _bury_damaged(connection, chunk)
    return whole


def open_queues(connection: Connection) -> list[str]:
    """Return the queues that have open chunks."""
    query = select(chunks.c.queue).where(is_open).distinct()
    return sorted(connection.scalars(query))


def _bury_damaged(connection: Connection, chunk: Chunk) -> None:
    """End a chunk whose payload cannot be read: one of them must not stop every sweep."""
    finish(connection, chunk.chunk_id, State.DEAD)
    bury_raw(
        connection,
        f"the reviews of chunk {chunk.chunk_id}",
        Reason.BAD_MESSAGE,
        "its payload in the ledger is damaged; submit its batch again",
        source=chunk.source,
        batch_id=chunk.batch_id,
        chunk_id=chunk.chunk_id,
    )


def _mark_swept(connection: Connection, chunk_ids: Sequence[str]) -> None:
    connection.execute(
        update(chunks)
        .where(chunks.c.chunk_id.in_(chunk_ids))
        .values(published_at=database_clock(connection), swept=chunks.c.swept + 1)
    )


def _count_attempt(connection: Connection, chunk: Chunk) -> Begun | None:
    c = chunks.c
    is_same = or_(c.content_hash.is_(None), c.content_hash == content_hash(chunk))
    counted = connection.execute(
        update(chunks)
        .where(c.chunk_id == chunk.chunk_id, c.state.in_(OPEN), is_same)
        .values(state=State.RUNNING, attempts=c.attempts + 1, started_at=database_clock(connection))
        .returning(c.attempts, c.parent_id, c.accepted_at, c.arrived_at)
    ).one_or_none()
    if counted is None:
        return None
    is_part = counted.parent_id is not None
    return Begun(counted.attempts, is_part, counted.accepted_at, counted.arrived_at)


def _with_arrival(connection: Connection, chunk: Chunk, begun: Begun) -> Begun:
    """Replace a time of the future by the chunk's first arrival."""
    arrived = begun.accepted_at or database_now(connection)
    if chunk.submitted_at <= arrived + FUTURE_TOLERANCE:
        return begun
    connection.execute(
        update(chunks)
        .where(chunks.c.chunk_id == chunk.chunk_id)
        .values(submitted_at=arrived, arrived_at=arrived)
    )
    return replace(begun, arrived_at=arrived)


def _insert_or_nothing(connection: Connection, row: dict[str, Any]) -> Any:
    dialect = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    return dialect(chunks).values(row).on_conflict_do_nothing()


def _row(chunk: Chunk, parent_id: str | None = None) -> dict[str, Any]:
    return {
        "chunk_id": chunk.chunk_id,
        "parent_id": parent_id,
        "batch_id": chunk.batch_id,
        "source": chunk.source,
        "queue": chunk.queue,
        "review_count": len(chunk.reviews),
        "state": State.QUEUED,
        "attempts": 0,
        "submitted_at": chunk.submitted_at,
        "accepted_at": None,
        "arrived_at": None,
        "published_at": None,
        "payload": pack(chunk.reviews),
        "content_hash": content_hash(chunk),
    }


def _chunk(row: Row[Any]) -> Chunk:
    return Chunk(
        chunk_id=row.chunk_id,
        source=row.source,
        reviews=unpack(row.payload),
        submitted_at=row.submitted_at,
        batch_id=row.batch_id,
        purpose=read_purpose(row.queue),
    )
