"""Messages as somebody who wishes a worker ill would send them: whole, bent and broken.

Plain functions of a random generator: a strategy of its own for each part would take ten times as
long as the worker takes for the message.
"""

import json
import uuid
import zlib
from base64 import b64encode
from collections.abc import Callable
from random import Random
from typing import Any, Final

from iyu.schemas.contract.message import TASK, Queue
from iyu.worker.transport.envelope import BURY_TASK, FAILURES, SWEEP_TASK

SOURCE: Final = "fuzzed"
NOON: Final = "2026-01-01T12:00:00+09:00"

#: Values that have broken something somewhere.
NASTY: Final[list[Any]] = [
    None, True, False, 0, -1, 2**31, 2**63, 2**64, 10**40, -0.0, 1.5, float("nan"), float("inf"),
    "", " ", "\u3000", "\0", "a\0b", "\ud800", "글\udfff", "\ufeff", "\u202e", "\x1c", "\u2028",
    "x" * 36, "x" * 37, "x" * 101, "x" * 201, "가" * 300, "0" * 5_000, "\u0958" * 4_000,
    "'; DROP TABLE chunks; --", "%s", "{}", "null", "NaN", "1", "-",
    [], {}, [[]], [None], [{}], {"": ""}, {"a": None}, {"task": 1}, {"self": 1}, [1, 2, 3],
    ["1", "글"], {"__type__": "datetime", "__value__": "x"}, {"__type__": 1, "__value__": 2},
    json.loads("[" * 25 + "]" * 25), json.loads("[" * 18 + "]" * 18),
]  # fmt: skip
TIMES: Final = [
    NOON, "2026-01-01T03:00:00Z", "0001-01-01T00:00:00+09:00", "9999-12-31T23:59:59-09:00",
    "0001-01-01T00:00:00Z", "0002-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999Z",
    "2999-01-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", "2026-W01-1T00:00+00:00",
    "20260101T000000+0000", "2026-01-01\ud80000:00:00Z", "2026-01-01T24:00:00Z",
    "2026-01-01T00:00:60Z", "2026-01-01T00:00:00+23:59:59.999999", "1969-12-31T23:59:59Z",
]  # fmt: skip
#: Few, so that some chunks come again with other reviews.
IDS: Final = [str(uuid.UUID(int=number)) for number in range(20)]
#: One field in so many is not what it should be.
RARELY: Final = 16


def make_element(random: Random) -> bytes:
    """Return an element of a queue."""
    compression = often(random, "application/x-gzip", "zlib", None)
    body: Any = json.dumps(make_body(random), ensure_ascii=random.random() < 0.5)
    plain = body.encode("utf-8", "surrogatepass")
    if isinstance(compression, str):
        plain = zlib.compress(plain, level=1)
    encoding = often(random, "base64") if compression else often(random, "base64", None)
    if encoding == "base64" or compression:
        body = b64encode(plain).decode()
    envelope: dict[str, Any] = {
        "body": body,
        "content-type": often(random, "application/json", "application/json; charset=utf-8"),
        "content-encoding": often(random, "utf-8", "UTF-8", "utf8"),
        "headers": make_headers(random) | ({"compression": compression} if compression else {}),
        "properties": {
            "body_encoding": encoding,
            "delivery_tag": "1",
            "delivery_info": often(random, {"exchange": "", "routing_key": Queue.LIVE}),
        },
    }
    if is_rare(random):
        envelope[random.choice([*envelope])] = nasty(random)
    element = json.dumps(envelope, ensure_ascii=random.random() < 0.5)
    return damage(random, element.encode("utf-8", "surrogatepass"))


def make_headers(random: Random) -> dict[str, Any]:
    """Return headers; most of them name the task."""
    found = {"task": often(random, TASK), "id": often(random, fresh_id(random))}
    if is_rare(random):
        found["task"] = random.choice([BURY_TASK, SWEEP_TASK])
    if is_rare(random):
        extra = [FAILURES, "expires", "eta", "retries", "timelimit", "root_id", "argsrepr"]
        found[random.choice(extra)] = nasty(random)
    return found


def make_body(random: Random) -> Any:
    """Return args, kwargs and embed, or something else."""
    if is_rare(random):
        return some(random, nasty) if random.random() < 0.5 else nasty(random)
    args = [make_id(random), make_reviews(random)]
    if is_rare(random):
        args = some(random, nasty)
    embed = often(random, None, None, {}, [], {"callbacks": None})
    if is_rare(random):
        names = ["callbacks", "errbacks", "chain", "chord", "id", "delivery_info", "args"]
        embed = {random.choice(names): nasty(random)}
    return [often(random, args), often(random, make_kwargs(random)), embed]


def make_kwargs(random: Random) -> dict[str, Any]:
    """Return what is passed by name."""
    found = {"source": often(random, SOURCE), "submitted_at": often(random, NOON)}
    if random.random() < 0.3:
        found["submitted_at"] = random.choice(TIMES)
    if random.random() < 0.3:
        found["batch_id"] = make_id(random)
    if is_rare(random):
        found[random.choice(["task", "self", "args", "\ud800", "", "queue"])] = nasty(random)
    if is_rare(random):
        found.pop(random.choice([*found]))
    return found


def make_reviews(random: Random) -> Any:
    """Return a chunk's reviews."""
    if is_rare(random):
        return random.choice([[["1", "글"]] * 513, some(random, nasty), nasty(random)])
    return some(random, make_review) or [["1", "글"]]


def make_review(random: Random) -> Any:
    """Return a pair of id and text."""
    if is_rare(random):
        return random.choice([{"id": "1", "text": "글"}, nasty(random)])
    review_id = often(random, "1", "2", 3, make_text(random))
    return [review_id, often(random, "좋다", "나쁘다", make_text(random))]


def make_id(random: Random) -> Any:
    """Return a UUID, a new one or one of a few."""
    return often(random, fresh_id(random), fresh_id(random), random.choice(IDS))


def fresh_id(random: Random) -> str:
    """Return a UUID."""
    return str(uuid.UUID(int=random.getrandbits(128)))


def make_text(random: Random) -> str:
    """Return a few characters of any kind, surrogates too."""
    return "".join(chr(random.choice([random.randrange(128), random.randrange(0x110000)]))
                   for _ in range(random.randrange(8)))  # fmt: skip


def nasty(random: Random) -> Any:
    """Return a value that has no business there."""
    return random.choice(NASTY) if random.random() < 0.8 else make_text(random)


def often(random: Random, *usual: Any) -> Any:
    """Return one of the usual values, rarely a nasty one."""
    return nasty(random) if is_rare(random) else random.choice(usual)


def some(random: Random, make: Callable[[Random], Any]) -> list[Any]:
    """Return a few of something."""
    return [make(random) for _ in range(random.randrange(5))]


def is_rare(random: Random) -> bool:
    """Return True once in a while."""
    return random.randrange(RARELY) == 0


def damage(random: Random, element: bytes) -> bytes:
    """Return an element whole in most cases; else cut, or with other bytes somewhere."""
    if not is_rare(random):
        return element
    at = random.randrange(len(element))
    other = random.randbytes(random.randrange(1, 5))
    return random.choice(
        [element[:at], random.randbytes(40), element[:at] + other + element[at + 1 :]]
    )
