"""The published JSON Schema and the code that reads messages say the same, field by field."""

import json
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iyu.producer import Producer, SettingsError
from iyu.schemas.contract import message
from iyu.schemas.contract.errors import MessageError
from iyu.schemas.contract.message import Chunk, new_id, read_chunk
from iyu.schemas.contract.message_fields import is_source, read_time, read_uuid
from iyu.schemas.contract.review import Reason, Rejection, Review, admit

CONTRACT = json.loads((Path(message.__file__).parent / "message.schema.json").read_text())
KWARGS = CONTRACT["prefixItems"][1]["properties"]
PAIR = CONTRACT["prefixItems"][0]["prefixItems"][1]["items"]["prefixItems"]
#: Every character there is, the ones that break things more often.
CHARACTERS = st.one_of(
    st.characters(exclude_categories=()), st.sampled_from("\0\ud800\udfff \t\x1c\u3000가ー😀1-")
)
TEXTS = st.text(CHARACTERS, max_size=110)
ANYTHING: st.SearchStrategy[Any] = st.one_of(
    TEXTS, st.none(), st.booleans(), st.integers(), st.floats(), st.just([]), st.just({})
)


def allows(schema: dict[str, Any], value: object) -> bool:
    whole = schema | {"$defs": CONTRACT["$defs"]}
    return jsonschema.Draft202012Validator(whole).is_valid(value)


def is_read(**changes: Any) -> bool:
    given_ = {
        "chunk_id": "782153ac-814d-42b8-99b1-b9e5db30707b", "reviews": [["1", "좋다"]],
        "source": "shop", "batch_id": None, "submitted_at": "2026-01-02T03:04:05+00:00",
    }  # fmt: skip
    try:
        read_chunk(**(given_ | changes))
    except MessageError:
        return False
    return True


@settings(max_examples=400, deadline=None)
@given(ANYTHING)
def test_a_source_is_read_exactly_where_the_contract_allows_it(value: object):
    assert is_read(source=value) == is_source(value) == allows(KWARGS["source"], value)


UUIDS = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda value: value.hex.upper()),
    st.text("0123456789abcdefABCDEF-_{} \n١", min_size=30, max_size=38),
    ANYTHING,
)


@settings(max_examples=400, deadline=None)
@given(UUIDS)
def test_ids_are_read_exactly_where_the_contract_allows_them(value: object):
    assert is_read(batch_id=value) == allows(KWARGS["batch_id"], value)
    assert is_read(chunk_id=value) == allows(CONTRACT["$defs"]["uuid"], value)


ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(timezones=ZONES)


@settings(max_examples=400, deadline=None)
@given(TIMES)
def test_every_time_that_the_contract_allows_can_be_written_in_utc(moment: Any):
    value = moment.isoformat()
    if allows(KWARGS["submitted_at"], value):
        assert read_time(value) == moment
    else:  # the first and last days, where a zone may lead out of the calendar
        assert moment.year in {1, 2, 9999}


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59-05:00", "0001-06-01T00:00:00Z",
        "0000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-02T03:04:05\ud800", "\0", 5,
    ],
)  # fmt: skip
def test_a_time_that_no_database_can_write_breaks_the_contract(value: object):
    with pytest.raises(MessageError, match="submitted_at"):
        read_time(value)


WRITTEN = st.one_of(
    TIMES.map(lambda moment: moment.isoformat()), st.sampled_from(["", "2014-05-01"]), ANYTHING
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(WRITTEN, st.lists(WRITTEN, max_size=2)))
def test_when_reviews_were_written_is_read_wherever_the_contract_allows_it(value: object):
    reviews = [["1", "좋다"]] * (len(value) if isinstance(value, list) and value else 1)
    given_ = {"chunk_id": new_id(), "reviews": reviews, "source": "shop", "batch_id": None}
    is_whole = True
    try:
        _, rejected = read_chunk(**given_, submitted_at="9999-01-01T00:00:00Z", written_at=value)
    except MessageError:
        is_whole, rejected = False, []
    if allows(KWARGS["written_at"], value):
        assert is_whole
        assert not rejected
    elif not is_time(value):  # times of more forms than the contract's are read
        assert not is_whole or {r.reason for r, _ in rejected} == {Reason.BAD_TIME}


def is_time(value: object) -> bool:
    """Whether Python reads it, or every value of a list, as a time with its zone."""
    if isinstance(value, list):
        return bool(value) and all(one is None or is_time(one) for one in value)
    try:
        read_time(value)
    except MessageError:
        return False
    return True


@settings(max_examples=400, deadline=None)
@given(st.one_of(TEXTS, st.text(CHARACTERS, min_size=195, max_size=205)), TEXTS)
def test_a_review_that_the_contract_allows_is_admitted(review_id: str, text: str):
    allowed = allows(PAIR[0], review_id) and allows(PAIR[1], text)
    verdict = admit(review_id, text)
    trimmed = review_id == review_id.strip()
    assert isinstance(verdict, Review) >= allowed
    assert isinstance(verdict, Rejection) >= (trimmed and not allowed)


def test_an_id_of_five_thousand_digits_is_rejected():
    assert admit(10**5_000, "좋다") == Rejection("", Reason.BAD_ID)
    assert admit(10**199, "좋다") == Review("1" + "0" * 199, "좋다")


def test_what_is_no_pair_is_rejected_together():
    dicts = [{"id": str(n), "text": "좋다"} for n in range(200)]
    chunk, rejected = read_chunk(
        new_id(), [*dicts, ["1", "좋다"]], "shop", None, "2026-01-02T03:04:05Z"
    )
    assert chunk.reviews == (Review("1", "좋다"),)
    assert rejected == [(Rejection("", Reason.MISSING_ID), dicts)]


def test_ids_are_stored_in_one_form():
    assert read_uuid("782153AC814D42B899B1B9E5DB30707B", "x") == (
        "782153ac-814d-42b8-99b1-b9e5db30707b"
    )


@pytest.mark.parametrize("source", ["", " ", "\u3000", "a\0", "\ud800", "x" * 101, None])
def test_a_producer_refuses_a_source_in_one_line(source: Any):
    with pytest.raises(SettingsError, match="source must be") as caught:
        Producer(source=source, ledger=False)
    assert "\n" not in str(caught.value)


@settings(max_examples=50, deadline=None)
@given(
    st.text(CHARACTERS, min_size=1, max_size=100).filter(is_source),
    TIMES,
    st.lists(st.none() | TIMES, min_size=1, max_size=3),
)
def test_what_our_producer_writes_follows_the_contract(
    source: str, moment: Any, written: list[Any]
):
    verdicts = [admit(str(number), "좋다", time) for number, time in enumerate(written)]
    reviews = tuple(verdict for verdict in verdicts if isinstance(verdict, Review))
    times = [time.isoformat() for time in (moment, *written) if time is not None]
    if reviews and all(allows(KWARGS["submitted_at"], time) for time in times):
        args, kwargs = Chunk(new_id(), source, reviews, moment).arguments()
        jsonschema.validate([args, kwargs, None], CONTRACT)
