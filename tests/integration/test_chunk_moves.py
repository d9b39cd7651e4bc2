"""The way of a chunk through a worker, with a scorer that scores or fails as a test wants."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Reason, Review
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.chunks import State
from iyu.schemas.ledger.dead_letters import bury_review
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading, writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import FakeScorer

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class FakePublisher:
    """Keeps what was published."""

    def __init__(self) -> None:
        self.published: list[Chunk] = []

    def publish(self, chunks: Sequence[Chunk]) -> None:
        self.published.extend(chunks)


@pytest.fixture
def runtime(engine: Engine) -> Runtime:
    settings = WorkerSettings(max_attempts=3)
    scorer = FakeScorer("abc", by_text={"fails": ValueError("as the test wants")})
    return Runtime(settings, engine, scorer, FakePublisher())  # type: ignore[arg-type]


def chunk(*texts: str, at: datetime = NOON) -> Chunk:
    reviews = tuple(Review(str(n), text) for n, text in enumerate(texts, start=1))
    return Chunk(new_id(), "test", reviews, at)


def rows(engine: Engine, table):
    with reading(engine) as connection:
        return connection.execute(select(table)).fetchall()


def die(runtime: Runtime, doomed: Chunk) -> None:
    """The process is killed after the attempt was committed."""
    with writing(runtime.engine) as connection:
        ledger.begin(connection, doomed)


def state(engine: Engine, one: Chunk) -> str:
    return {row.chunk_id: row.state for row in rows(engine, tables.chunks)}[one.chunk_id]


def test_a_chunk_that_kills_its_process_is_split_into_its_reviews(runtime: Runtime):
    doomed = chunk("a", "b", "c")
    for _ in range(3):
        die(runtime, doomed)
    score_chunk(runtime, doomed, [])
    parts = runtime.publisher.published  # type: ignore[attr-defined]
    assert [part.reviews for part in parts] == [(review,) for review in doomed.reviews]
    assert state(runtime.engine, doomed) == State.SPLIT
    score_chunk(runtime, parts[0], [])
    for _ in range(2):
        die(runtime, parts[1])
    score_chunk(runtime, parts[1], [])
    [letter] = rows(runtime.engine, tables.dead_letters)
    assert (letter.review_id, letter.text, letter.reason) == ("2", "b", Reason.KILLED_WORKER)
    assert [row.review_id for row in rows(runtime.engine, tables.predictions)] == ["1"]


def test_a_chunk_that_came_again_is_not_scored_again(runtime: Runtime):
    one = chunk("a")
    score_chunk(runtime, one, [])
    with writing(runtime.engine) as connection:
        assert ledger.begin(connection, one) is None
        assert not ledger.finish(connection, one.chunk_id)
        assert ledger.split(connection, one) == []
    assert state(runtime.engine, one) == State.DONE


def test_an_attempt_taken_back_does_not_count(runtime: Runtime):
    one = chunk("a", "b")
    for _ in range(5):
        die(runtime, one)
        with writing(runtime.engine) as connection:
            ledger.hand_back(connection, [one.chunk_id])
    score_chunk(runtime, one, [])
    assert state(runtime.engine, one) == State.DONE


def test_a_review_that_fails_sinks_no_neighbour(runtime: Runtime):
    score_chunk(runtime, chunk("a", "fails", "c"), [])
    assert sorted(row.review_id for row in rows(runtime.engine, tables.predictions)) == ["1", "3"]
    [letter] = rows(runtime.engine, tables.dead_letters)
    assert (letter.review_id, letter.reason) == ("2", Reason.SCORING_FAILED)


def test_a_late_older_message_never_overwrites_a_newer_text(runtime: Runtime):
    older, newer = chunk("old"), chunk("new", at=NOON + timedelta(seconds=1))
    score_chunk(runtime, newer, [])
    score_chunk(runtime, older, [])
    [review] = rows(runtime.engine, tables.reviews)
    assert review.text == "new"
    assert state(runtime.engine, older) == State.DONE


def test_a_dead_letter_closes_when_its_text_or_a_newer_one_is_scored(runtime: Runtime):
    dead = chunk("dead", at=NOON)
    with writing(runtime.engine) as connection:
        bury_review(connection, dead, dead.reviews[0], Reason.KILLED_WORKER, "told to")
    score_chunk(runtime, chunk("older", at=NOON - timedelta(seconds=1)), [])
    assert rows(runtime.engine, tables.dead_letters)[0].replayed_at is None
    score_chunk(runtime, chunk("newer", at=NOON + timedelta(seconds=1)), [])
    assert rows(runtime.engine, tables.dead_letters)[0].replayed_at is not None


def test_pruning_takes_finished_chunks_only(runtime: Runtime):
    finished, waiting = chunk("a"), chunk("b")
    score_chunk(runtime, finished, [])
    with writing(runtime.engine) as connection:
        ledger.accept(connection, [waiting])
        assert ledger.prune(connection, NOON - timedelta(days=400)) == 0
        assert ledger.prune(connection, datetime.now(UTC) + timedelta(days=1)) == 1
    assert [row.chunk_id for row in rows(runtime.engine, tables.chunks)] == [waiting.chunk_id]
    assert len(rows(runtime.engine, tables.predictions)) == 1
