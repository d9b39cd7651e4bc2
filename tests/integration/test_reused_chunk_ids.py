"""A chunk_id that comes again: harmless with its own reviews, dead letters with others."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Reason, Rejection, Review
from iyu.schemas.erasure import forget_all
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.progress import batch_outcome
from iyu.schemas.ledger.replay import Choice, replay
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading, writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import FakeScorer

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MAY = datetime(2014, 5, 1, tzinfo=UTC)


@pytest.fixture
def runtime(engine: Engine) -> Runtime:
    return Runtime(WorkerSettings.load(), engine, FakeScorer("v1"), None)  # type: ignore[arg-type]


@pytest.fixture
def first() -> Chunk:
    return Chunk(new_id(), "shop", (Review("1", "굳"), Review("2", "음")), NOON, new_id())


def other(first: Chunk, *reviews: Review, **changes: Any) -> Chunk:
    later = first.submitted_at + timedelta(hours=1)
    return replace(first, reviews=reviews, submitted_at=later, **changes)


def letters(engine: Engine) -> Sequence[Any]:
    with reading(engine) as connection:
        query = select(tables.dead_letters).order_by(tables.dead_letters.c.review_id)
        return connection.execute(query).all()


def scored(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return sorted(connection.scalars(select(tables.predictions.c.review_id)))


def state(engine: Engine) -> tuple[str, int]:
    with reading(engine) as connection:
        row = connection.execute(select(tables.chunks)).one()
        return row.state, row.attempts


def test_its_own_reviews_again_change_nothing(runtime: Runtime, first: Chunk):
    timed = tuple(replace(review, written_at=MAY) for review in first.reviews)
    for again in (first, first, other(first, *timed)):
        score_chunk(runtime, again, [])
    assert letters(runtime.engine) == []
    assert state(runtime.engine) == ("done", 1)


@pytest.mark.parametrize("is_done", [True, False])
def test_other_reviews_are_dead_letters_that_can_be_replayed(
    runtime: Runtime, first: Chunk, is_done: bool
):
    if is_done:
        score_chunk(runtime, first, [])
    else:
        with writing(runtime.engine) as connection:
            ledger.accept(connection, [first])
    score_chunk(runtime, other(first, Review("3", "네", MAY)), [])
    [letter] = letters(runtime.engine)
    assert (letter.review_id, letter.text, letter.written_at) == ("3", "네", MAY)
    assert letter.reason == Reason.CHUNK_ID_REUSED
    assert first.chunk_id in letter.error
    score_chunk(runtime, first, [])
    assert state(runtime.engine) == ("done", 1), "the other message is no attempt"
    with writing(runtime.engine) as connection:
        [again], without_review = replay(connection, Choice())
    assert not without_review
    score_chunk(runtime, again, [])
    assert scored(runtime.engine) == ["1", "2", "3"]


def test_the_same_ids_with_another_text_are_other_reviews(runtime: Runtime, first: Chunk):
    score_chunk(runtime, first, [])
    score_chunk(runtime, other(first, Review("1", "굳"), Review("2", "별로")), [])
    score_chunk(runtime, other(first, *first.reviews, source="market"), [])
    found = {(letter.source, letter.review_id) for letter in letters(runtime.engine)}
    assert found == {("shop", "2"), ("market", "1"), ("market", "2")}


def test_what_is_rejected_of_the_other_message_is_a_dead_letter_too(runtime: Runtime, first: Chunk):
    score_chunk(runtime, first, [])
    rejected = [(Rejection("4", Reason.EMPTY), "")]
    score_chunk(runtime, other(first, Review("3", "네")), rejected)
    assert [(x.review_id, x.reason) for x in letters(runtime.engine)] == [
        ("3", "chunk-id-reused"), ("4", "empty"),
    ]  # fmt: skip


def test_they_do_not_count_in_the_batch_of_the_chunk(runtime: Runtime, first: Chunk):
    score_chunk(runtime, first, [])
    score_chunk(runtime, other(first, Review("3", "네")), [])
    with reading(runtime.engine) as connection:
        outcome = batch_outcome(connection, str(first.batch_id))
    assert (outcome.scored, outcome.dead) == (2, 0)


@pytest.mark.parametrize("is_done", [True, False])
def test_a_redelivery_brings_no_erased_review_back(runtime: Runtime, first: Chunk, is_done: bool):
    if is_done:
        score_chunk(runtime, first, [])
    else:
        with writing(runtime.engine) as connection:
            ledger.accept(connection, [first])
    forget_all(runtime.engine, "shop", ["1"])
    score_chunk(runtime, first, [])  # the message as it was
    assert letters(runtime.engine) == []
    assert scored(runtime.engine) == ["2"]
    score_chunk(runtime, first, [])
    assert letters(runtime.engine) == []


def test_an_erased_review_under_a_reused_id_stays_erased(runtime: Runtime, first: Chunk):
    score_chunk(runtime, first, [])
    score_chunk(runtime, replace(first, chunk_id=new_id(), reviews=(Review("3", "네"),)), [])
    forget_all(runtime.engine, "shop", ["3"])
    score_chunk(runtime, other(first, Review("3", "네"), Review("4", "글")), [])
    assert [letter.review_id for letter in letters(runtime.engine)] == ["4"]


def test_a_chunk_of_before_is_not_compared(runtime: Runtime, first: Chunk):
    score_chunk(runtime, first, [])
    with writing(runtime.engine) as connection:
        connection.execute(tables.chunks.update().values(content_hash=None))
    score_chunk(runtime, other(first, Review("3", "네")), [])
    assert letters(runtime.engine) == []
