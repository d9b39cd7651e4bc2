from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, update

from iyu.schemas.broker.publisher import publish_and_mark
from iyu.schemas.contract.errors import BrokerUnavailable
from iyu.schemas.contract.message import Chunk, Queue, new_id
from iyu.schemas.contract.review import Reason, Review, utc_now
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger import progress
from iyu.schemas.ledger.chunks import State
from iyu.schemas.ledger.dead_letters import bury_review
from iyu.schemas.sql.engine import connect, reading, upgrade, writing
from iyu.schemas.sql.tables import chunks


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path}/iyu.db")
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with writing(engine) as connection:
        yield connection


def accept(connection: Connection, size: int, queue: Queue = Queue.BULK, batch: str = "a") -> Chunk:
    reviews = tuple(Review(new_id(), "굳") for _ in range(size))
    chunk = Chunk(new_id(), "test", reviews, utc_now(), batch, queue)
    ledger.accept(connection, [chunk])
    return chunk


def test_pending_are_the_queued_and_the_running(connection: Connection):
    accept(connection, 3)
    accept(connection, 4, Queue.LIVE)
    running = accept(connection, 5)
    ledger.begin(connection, running)
    ledger.finish(connection, accept(connection, 6).chunk_id)
    found = progress.pending_by_queue(connection)
    assert found.queued == {"reviews.bulk": 3, "reviews.live": 4}
    assert (found.running, found.total, progress.pending(connection)) == (5, 12, 12)
    assert progress.pending_in_queue(connection, Queue.BULK) == (2, 8)
    assert progress.queued_reviews(connection, Queue.BULK) == 3


def test_nothing_pending_is_nothing(connection: Connection):
    assert progress.pending(connection) == progress.pending_by_queue(connection).total == 0
    assert progress.pending_in_queue(connection, Queue.BULK) == (0, 0)


def test_the_drain_time_is_the_rate_of_one_window(connection: Connection):
    assert progress.drain_seconds(connection, 100) is None
    ledger.finish(connection, accept(connection, 50).chunk_id)
    old = accept(connection, 500).chunk_id
    ledger.finish(connection, old)
    before = utc_now() - timedelta(seconds=progress.RATE_WINDOW + 1)
    connection.execute(update(chunks).where(chunks.c.chunk_id == old).values(finished_at=before))
    assert progress.scored_recently(connection) == 50
    assert progress.drain_seconds(connection, 100) == 2 * progress.RATE_WINDOW


def test_the_outcome_of_a_batch_counts_each_review_once(connection: Connection):
    accept(connection, 1)
    done = accept(connection, 4)
    ledger.finish(connection, done.chunk_id)
    bury_review(connection, done, done.reviews[0], Reason.SCORING_FAILED, "ValueError")
    killed = accept(connection, 1)
    ledger.finish(connection, killed.chunk_id, State.DEAD)
    bury_review(connection, killed, killed.reviews[0], Reason.KILLED_WORKER, "it died")
    accept(connection, 9, batch="b")
    outcome = progress.batch_outcome(connection, "a")
    assert (outcome.scored, outcome.dead, outcome.pending) == (3, 2, 1)
    assert not outcome.finished
    assert outcome.last_row_at is not None
    assert progress.batch_outcome(connection, "none").finished


class Publisher:
    def __init__(self, error: Exception | None = None) -> None:
        self.published: list[Chunk] = []
        self._error = error

    def publish(self, new: list[Chunk]) -> None:
        if self._error:
            raise self._error
        self.published += new


def published(engine: Engine) -> list[bool]:
    with reading(engine) as connection:
        return [row.published_at is not None for row in connection.execute(chunks.select())]


def test_only_what_was_published_is_marked(engine: Engine):
    with writing(engine) as connection:
        new = [accept(connection, 2), accept(connection, 3)]
    with pytest.raises(BrokerUnavailable):
        publish_and_mark(Publisher(BrokerUnavailable("down")), engine, new)
    assert published(engine) == [False, False]
    publisher = Publisher()
    publish_and_mark(publisher, engine, new)
    assert publisher.published == new
    assert published(engine) == [True, True]
