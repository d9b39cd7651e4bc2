"""The way of a chunk through a worker, with a scorer that scores or fails as a test wants."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Reason, Rejection, Review
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.chunks import State
from iyu.schemas.ledger.dead_letters import bury_review
from iyu.schemas.ledger.totals import prune
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading, writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.scoring import Prediction
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import FakeScorer

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAILS = {"fails": ValueError("as the test wants")}


class FakePublisher:
    """Keeps what was published."""

    def __init__(self) -> None:
        self.published: list[Chunk] = []

    def publish(self, chunks: Sequence[Chunk]) -> None:
        self.published.extend(chunks)


@pytest.fixture
def runtime(engine: Engine) -> Runtime:
    settings = WorkerSettings(max_attempts=3)
    scorer = FakeScorer("abc", by_text=FAILS)
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
        assert prune(connection, NOON - timedelta(days=400)) == 0
        assert prune(connection, datetime.now(UTC) + timedelta(days=1)) == 1
    assert [row.chunk_id for row in rows(runtime.engine, tables.chunks)] == [waiting.chunk_id]
    assert len(rows(runtime.engine, tables.predictions)) == 1


class SlowScorer(FakeScorer):
    """Lets something happen while it scores."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__("abc", by_text=FAILS)
        self._meanwhile = meanwhile

    def score(self, texts: Sequence[str]) -> list[Prediction]:
        self._meanwhile()
        return super().score(texts)


def everything(engine: Engine):
    return [
        rows(engine, t)
        for t in (tables.chunks, tables.reviews, tables.predictions, tables.dead_letters)
    ]


@pytest.mark.parametrize("texts", [("a", "b"), ("a", "fails")])
def test_a_chunk_that_another_worker_finished_meanwhile_keeps_that_workers_rows(
    runtime: Runtime, texts: tuple[str, ...]
):
    """A review that failed here alone must not be scored and a dead letter at once."""
    one = chunk(*texts)
    standing: list[object] = []

    def finish_elsewhere() -> None:
        if not standing:
            score_chunk(another_process(runtime, FakeScorer("abc")), one, [])
            standing.append(everything(runtime.engine))

    score_chunk(another_process(runtime, SlowScorer(finish_elsewhere)), one, [])
    assert standing == [everything(runtime.engine)]
    assert [row.review_id for row in rows(runtime.engine, tables.predictions)] == ["1", "2"]
    assert rows(runtime.engine, tables.dead_letters) == []


def test_a_chunk_that_was_split_meanwhile_is_left_to_its_parts(runtime: Runtime):
    """A part may yet be a dead letter: a score from here would stand beside it."""
    one = chunk("a", "b")

    def split_elsewhere() -> None:
        with writing(runtime.engine) as connection:
            ledger.split(connection, one)

    score_chunk(another_process(runtime, SlowScorer(split_elsewhere)), one, [])
    assert rows(runtime.engine, tables.predictions) == []
    assert state(runtime.engine, one) == State.SPLIT
    parts = [row for row in rows(runtime.engine, tables.chunks) if row.parent_id == one.chunk_id]
    assert [part.state for part in parts] == [State.QUEUED, State.QUEUED]


class ProcessDied(BaseException):
    """No exception that a worker handles."""


def test_what_was_rejected_on_arrival_outlives_the_process(runtime: Runtime):
    """The ledger keeps the good reviews alone: the sweeper's copy does not bring the others."""
    one = chunk("a")
    rejected = [(Rejection("2", Reason.EMPTY), "")]

    def die() -> None:
        raise ProcessDied

    with pytest.raises(ProcessDied):
        score_chunk(another_process(runtime, SlowScorer(die)), one, rejected)
    score_chunk(runtime, one, [])  # the sweeper's copy
    score_chunk(runtime, one, rejected)  # the broker's, delivered again
    [letter] = rows(runtime.engine, tables.dead_letters)
    assert (letter.review_id, letter.reason, letter.seen) == ("2", Reason.EMPTY, 1)
    assert [row.review_id for row in rows(runtime.engine, tables.predictions)] == ["1"]


def another_process(runtime: Runtime, scorer: FakeScorer) -> Runtime:
    """Return another process of the same worker."""
    return Runtime(runtime.settings, runtime.engine, scorer, runtime.publisher)  # type: ignore[arg-type]
