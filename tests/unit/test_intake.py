import json
import pickle
import zlib
from base64 import b64decode, b64encode

import pytest

from iyu.schemas.contract.message import TASK
from iyu.worker.transport.envelope import BURY_TASK, SWEEP_TASK
from iyu.worker.transport.message_guard import MAX_ELEMENT, admit_message

CHUNK_ID = "782153ac-814d-42b8-99b1-b9e5db30707b"
KWARGS = {"source": "shop", "submitted_at": "2026-01-01T00:00:00+00:00"}
GOOD_BODY = [[CHUNK_ID, [["1", "좋아요"]]], KWARGS, None]


def element(payload=GOOD_BODY, *, headers=None, plain=None, **changes) -> bytes:
    plain = json.dumps(payload).encode() if plain is None else plain
    envelope = {
        "body": b64encode(plain).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": TASK, "id": CHUNK_ID} if headers is None else headers,
        "properties": {"body_encoding": "base64", "delivery_tag": "1"},
    }
    return json.dumps(envelope | changes).encode()


def read(message: bytes):
    envelope = json.loads(message)
    body = b64decode(envelope["body"])
    if envelope["headers"].get("compression"):
        body = zlib.decompress(body)
    return envelope["headers"], json.loads(body), envelope["properties"]


def test_a_good_message_keeps_its_body_and_loses_foreign_headers():
    headers = {"task": TASK, "id": CHUNK_ID, "argsrepr": "좋아요", "expires": "2001-01-01"}
    clean, body, properties = read(admit_message(element(headers=headers), "reviews.live"))
    assert body == GOOD_BODY
    assert clean["task"] == TASK
    assert "좋아요" not in clean["argsrepr"]
    assert "expires" not in clean
    assert properties["delivery_info"] == {"exchange": "", "routing_key": "reviews.live"}
    assert properties["delivery_tag"] != "1"


def test_what_was_let_in_is_let_in_again():
    for first in (element(), b"garbage"):
        once = admit_message(first, "reviews.bulk")
        assert read(admit_message(once, "reviews.bulk"))[:2] == read(once)[:2]


def test_compressed_and_plain_bodies_are_both_read():
    squeezed = zlib.compress(json.dumps(GOOD_BODY).encode())
    headers = {"task": TASK, "id": CHUNK_ID, "compression": "application/x-gzip"}
    assert read(admit_message(element(plain=squeezed, headers=headers), "q"))[1] == GOOD_BODY
    text = json.loads(element())
    text |= {"body": json.dumps(GOOD_BODY), "properties": {"delivery_tag": "2"}}
    clean = json.loads(admit_message(json.dumps(text).encode(), "q"))
    assert json.loads(clean["body"]) == GOOD_BODY
    assert clean["headers"]["task"] == TASK


def test_a_lone_surrogate_sinks_no_neighbour():
    plain = json.dumps([[CHUNK_ID, [["1", "\ud800"], ["2", "좋아요"]]], KWARGS, None]).encode()
    assert read(admit_message(element(plain=plain), "q"))[0]["task"] == TASK


BOMB = zlib.compress(b" " * 50_000_000)
DEEP = b"[" * 100_000 + b"]" * 100_000
BROKEN = {
    "nothing": b"",
    "no JSON": b"\x80\x04 not json \xff",
    "a number": b"17",
    "a list": b"[]",
    "no headers": json.dumps({"body": "", "properties": {}}).encode(),
    "headers are null": element(headers="x"),
    "unknown task": element(headers={"task": "os.system", "id": CHUNK_ID}),
    "no task": element(headers={"id": CHUNK_ID}),
    "task is a list": element(headers={"task": [TASK], "id": CHUNK_ID}),
    "no id": element(headers={"task": TASK}),
    "id is a number": element(headers={"task": TASK, "id": 5}),
    "no properties": element(properties=None),
    "pickle": element(
        plain=pickle.dumps(GOOD_BODY), **{"content-type": "application/x-python-serialize"}
    ),
    "pickle called JSON": element(plain=pickle.dumps(GOOD_BODY)),
    "yaml": element(**{"content-type": "application/x-yaml"}),
    "wrong encoding": element(**{"content-encoding": "binary"}),
    "no base64": element(body="%%%"),
    "body is a number": element(body=5),
    "unknown compression": element(headers={"task": TASK, "id": CHUNK_ID, "compression": "lzma"}),
    "compression is a list": element(headers={"task": TASK, "id": CHUNK_ID, "compression": []})[
        :-2
    ],
    "broken compression": element(headers={"task": TASK, "id": CHUNK_ID, "compression": "zlib"}),
    "a bomb": element(plain=BOMB, headers={"task": TASK, "id": CHUNK_ID, "compression": "zlib"}),
    "too large": b'"' + b"x" * MAX_ELEMENT + b'"',
    "body is no list": element({"args": []}),
    "args are no list": element([{}, {}, None]),
    "kwargs are no object": element([[], [], None]),
    "callbacks": element([[CHUNK_ID, []], KWARGS, {"callbacks": [{"task": "x"}]}]),
    "deep": element(plain=DEEP),
    "rather deep": element(plain=b"[[" + b"[" * 500 + b"]" * 500 + b"],{},null]"),
    "typed": element([[CHUNK_ID, [["1", {"__type__": "x", "__value__": 1}]]], KWARGS, None]),
    "protocol 1": element({"task": TASK, "id": CHUNK_ID, "args": [], "kwargs": {}}, headers={}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_becomes_a_burial(name):
    headers, (args, kwargs, _), properties = read(admit_message(BROKEN[name], "reviews.bulk"))
    raw, reason, error = args
    assert headers["task"] == BURY_TASK
    assert reason == "bad-message"
    assert error
    assert len(raw) <= 100_000
    assert kwargs == {}
    assert properties["delivery_info"]["routing_key"] == "reviews.bulk"


def test_a_dead_letter_shows_the_reviews_of_a_message_with_wrong_arguments():
    message = admit_message(element({"reviews": ["좋아요"]}), "reviews.bulk")
    assert "좋아요" in read(message)[1][0][0]


def test_a_sweep_keeps_its_expiry_and_takes_no_arguments():
    headers = {"task": SWEEP_TASK, "id": "x", "expires": "2026-01-01T00:00:00+00:00"}
    clean, body, _ = read(admit_message(element(headers=headers), "iyu.sweep"))
    assert clean["expires"] == headers["expires"]
    assert body == [[], {}, None]
    broken = headers | {"expires": "soon"}
    assert "expires" not in read(admit_message(element(headers=broken), "iyu.sweep"))[0]
