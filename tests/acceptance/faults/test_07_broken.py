"""Scenario 7: every kind of malformed review and broken message, alone and among good ones."""

import json
import random
import time
import uuid
from base64 import b64encode

import pytest
from sqlalchemy import select

from iyu.schemas.contract.message import TASK, Queue
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading
from tests.acceptance.faults.oracle import SOURCE
from tests.acceptance.faults.system import System
from tests.harness.polling import poll
from tests.harness.reviews import made
from tests.unit.test_intake import BROKEN, CHUNK_ID, KWARGS, element

pytestmark = pytest.mark.acceptance

#: A word of every broken message that could be read; it must not stand in a log.
SECRET = "비밀문장"
BROKEN_ALL = BROKEN | {
    "secret garbage": f"not json {SECRET}".encode(),
    "secret body of an unknown task": element(
        [[SECRET], {}, None], headers={"task": f"x.{SECRET}", "id": CHUNK_ID}
    ),
    "secret arguments": element([[SECRET, [["1", SECRET]]], KWARGS, None]),
    "no reviews": element([[CHUNK_ID, []], KWARGS, None]),
    "reviews are a text": element([[CHUNK_ID, SECRET], KWARGS, None]),
    "no source": element([[CHUNK_ID, [["1", SECRET]]], {}, None]),
    "no time": element(
        [[CHUNK_ID, [["1", SECRET]]], {"source": "x", "submitted_at": "soon"}, None]
    ),
    "unknown keyword": element([[CHUNK_ID, [["1", SECRET]]], KWARGS | {"more": 1}, None]),
    "three arguments": element([[CHUNK_ID, [["1", SECRET]], 5], KWARGS, None]),
    "513 reviews": element([[CHUNK_ID, [[str(n), SECRET] for n in range(513)]], KWARGS, None]),
}
MALFORMED = {
    "empty": "   ",
    "null": None,
    "number": 17,
    "nul": f"{SECRET}\0",
    "surrogate": f"{SECRET}\ud800",
    "long": SECRET * 2_600,
    "list": [SECRET],
}


def message(reviews: list[object]) -> bytes:
    """A message of a publisher without the ledger, in another language for all we know."""
    chunk_id = str(uuid.uuid4())
    submitted = "2026-01-01T09:00:00+09:00"
    body = [[chunk_id, reviews], {"source": SOURCE, "submitted_at": submitted}, None]
    envelope = {
        "body": b64encode(json.dumps(body).encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": TASK, "id": chunk_id, "argsrepr": repr(reviews)},
        "properties": {"body_encoding": "base64", "delivery_tag": "always the same"},
    }
    return json.dumps(envelope).encode()


def test_nothing_broken_stops_a_worker_or_reaches_a_log(system: System):
    worker = system.worker()
    began = time.monotonic()
    one_by_one(system)
    all_mixed(system)
    bad = {f"bad-{name}": "" for name in MALFORMED}
    system.accepted.update(bad)
    verdict = system.judge("7 broken messages and reviews", began, dead=bad)
    assert verdict.dead == bad.keys()

    output = worker.output()
    assert worker.running
    assert SECRET not in output
    assert "Traceback" not in output
    with reading(system.engine) as connection:
        letters = connection.execute(select(tables.dead_letters)).fetchall()
    raw = [letter for letter in letters if letter.reason == "bad-message"]
    # Each came twice: one by one, and mixed.
    assert len(raw) == len({row.raw for row in raw}) == distinct()
    assert sum(letter.seen for letter in raw) == 2 * len(BROKEN_ALL)
    assert sum(SECRET in letter.raw for letter in raw) >= 8


def one_by_one(system: System) -> None:
    """Each broken message is followed by a good review that is scored."""
    with system.redis.client() as client:
        for number, (name, broken) in enumerate(BROKEN_ALL.items()):
            review = made(1, first=100_000 + number)[0]
            client.lpush(Queue.LIVE, broken)
            client.lpush(Queue.LIVE, message([list(review)]))
            system.accepted[review[0]] = review[1]
            poll(60, lambda done=number + 1: system.done() == done)
            assert name


def all_mixed(system: System) -> None:
    """Five thousand good reviews, and everything else in between."""
    good = made(5_000)
    parts: list[bytes] = [*BROKEN_ALL.values()]
    for start in range(0, len(good), 100):
        parts.append(message([list(review) for review in good[start : start + 100]]))
    bad: list[object] = [[f"bad-{name}", text] for name, text in MALFORMED.items()]
    parts.append(message([*bad, ["r-with-bad", "좋아요"], "neither", ["only an id"]]))
    random.Random(7).shuffle(parts)
    with system.redis.client() as client:
        for part in parts:
            client.lpush(Queue.BULK, part)
    system.accepted.update(good)
    system.accepted["r-with-bad"] = "좋아요"


def distinct() -> int:
    """Broken messages that differ in what of them can be kept."""
    return len(BROKEN_ALL)
