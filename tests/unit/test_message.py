import json
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from iyu.schemas.contract import message
from iyu.schemas.contract.errors import MessageError
from iyu.schemas.contract.message import (
    Chunk,
    Queue,
    Rescore,
    new_id,
    pack,
    read_chunk,
    read_purpose,
    unpack,
)
from iyu.schemas.contract.review import Reason, Rejection, Review

CHUNK = Chunk(
    chunk_id=new_id(),
    source="shop",
    reviews=(Review("1", "재미있다"), Review("2", "별로 😀")),
    submitted_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    purpose=Queue.LIVE,
)
CONTRACT = json.loads((Path(message.__file__).parent / "message.schema.json").read_text())


def arguments(**changes: Any) -> dict[str, Any]:
    args, kwargs = CHUNK.arguments()
    return {"chunk_id": args[0], "reviews": args[1], **kwargs, **changes}


def test_what_is_published_follows_the_published_contract():
    args, kwargs = CHUNK.arguments()
    jsonschema.validate([args, kwargs, {}], CONTRACT)


def test_a_message_gives_its_chunk_back():
    chunk, rejected = read_chunk(**arguments(), purpose=Queue.LIVE)
    assert chunk == CHUNK
    assert rejected == []


@pytest.mark.parametrize(
    "change",
    [
        {"chunk_id": "no uuid"},
        {"chunk_id": 7},
        {"reviews": []},
        {"reviews": "text"},
        {"reviews": [["1", "좋다"]] * 513},
        {"source": ""},
        {"source": None},
        {"batch_id": 5},
        {"submitted_at": "yesterday"},
        {"submitted_at": "2026-01-02T03:04:05"},
        {"submitted_at": None},
    ],
)
def test_a_message_that_breaks_the_contract_is_refused(change: dict[str, Any]):
    with pytest.raises(MessageError):
        read_chunk(**arguments(**change))


def test_one_bad_review_leaves_its_neighbours():
    chunk, rejected = read_chunk(
        **arguments(reviews=[["1", "좋다"], ["2", ""], "garbage", ["3", None], ["4", "싫다"]])
    )
    assert [review.review_id for review in chunk.reviews] == ["1", "4"]
    reasons = [rejection.reason for rejection, _ in rejected]
    assert reasons == [Reason.EMPTY, Reason.MISSING_ID, Reason.EMPTY]


def test_of_two_texts_with_one_id_the_later_stands():
    chunk, _ = read_chunk(**arguments(reviews=[["1", "먼저"], ["1", "나중"]]))
    assert chunk.reviews == (Review("1", "나중"),)


def test_the_time_is_brought_to_utc():
    chunk, _ = read_chunk(**arguments(submitted_at="2026-01-02T12:04:05+09:00"))
    assert chunk.submitted_at == CHUNK.submitted_at


def test_a_payload_gives_its_reviews_back():
    assert unpack(pack(CHUNK.reviews)) == CHUNK.reviews


WRITTEN = datetime(2014, 5, 1, 12, tzinfo=UTC)


def written(*times: datetime | None) -> Chunk:
    reviews = tuple(Review(str(n), "좋다", time) for n, time in enumerate(times))
    return Chunk(new_id(), "shop", reviews, CHUNK.submitted_at)


@pytest.mark.parametrize(
    "times", [(WRITTEN, WRITTEN), (WRITTEN, None, CHUNK.submitted_at), (None, None)]
)
def test_a_message_and_a_payload_say_when_each_review_was_written(
    times: tuple[datetime | None, ...],
):
    chunk = written(*times)
    args, kwargs = chunk.arguments()
    assert ("written_at" in kwargs) == any(times), "workers of before know no such argument"
    read, _ = read_chunk(args[0], args[1], **kwargs)
    assert read == chunk
    assert unpack(pack(chunk.reviews)) == chunk.reviews


def test_a_payload_without_times_is_what_it_was():
    assert pack(CHUNK.reviews) == zlib.compress(
        orjson.dumps([["1", "재미있다"], ["2", "별로 😀"]]), level=1
    )


@pytest.mark.parametrize(
    "value", ["yesterday", "2014-05-01", "0001-01-01T00:00:00Z", 5, {}, [], [None], [None] * 3]
)
def test_a_time_for_all_that_cannot_be_read_breaks_the_message(value: object):
    with pytest.raises(MessageError, match="written_at"):
        read_chunk(**arguments(written_at=value))


@pytest.mark.parametrize("value", ["yesterday", "2014-05-01T12:00:00", "", 5, [], "0001-06-01Z"])
def test_a_time_of_one_review_that_cannot_be_read_rejects_this_review(value: object):
    chunk, rejected = read_chunk(**arguments(written_at=[WRITTEN.isoformat(), value]))
    assert chunk.reviews == (Review("1", "재미있다", WRITTEN),)
    assert [rejection for rejection, _ in rejected] == [Rejection("2", Reason.BAD_TIME)]


@pytest.mark.parametrize(
    ("ahead", "is_known"), [(timedelta(minutes=-9), True), (timedelta(minutes=5), True),
                            (timedelta(minutes=5, seconds=1), False), (timedelta(9999), False)]
)  # fmt: skip
def test_a_review_written_after_it_was_submitted_has_no_known_time(
    ahead: timedelta, is_known: bool
):
    chunk = written(CHUNK.submitted_at + ahead)
    assert (chunk.written_at(chunk.reviews[0]) is not None) == is_known


def test_a_chunk_of_the_last_year_can_be_compared():
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    chunk = Chunk(new_id(), "shop", (Review("1", "좋다", WRITTEN),), last)
    assert chunk.written_at(chunk.reviews[0]) == WRITTEN


@pytest.mark.parametrize("purpose", [Queue.LIVE, Queue.BULK, Rescore("0123456789ab")])
def test_a_purpose_and_its_queue_name_each_other(purpose: Queue | Rescore):
    chunk = Chunk(new_id(), "shop", CHUNK.reviews, CHUNK.submitted_at, purpose=purpose)
    assert read_purpose(chunk.queue) == purpose
    assert type(read_purpose(chunk.queue)) is type(purpose)


@pytest.mark.parametrize("queue", ["somebody.elses", "reviews.rescore.", "", "None"])
def test_a_queue_of_another_name_holds_submitted_reviews(queue: str):
    assert read_purpose(queue) is Queue.BULK
