"""Messages as somebody who wishes a worker ill would send them: whole, bent and broken."""

import json
import uuid
import zlib
from base64 import b64encode
from typing import Any, Final

from hypothesis import strategies as st

from iyu.schemas.contract.message import TASK, Queue
from iyu.worker.transport.envelope import BURY_TASK, SWEEP_TASK

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
IDS: Final = [str(uuid.UUID(int=number)) for number in range(20)]

CHARACTERS: Final = st.characters(exclude_categories=())
texts: Final = st.text(CHARACTERS, max_size=8)
nasty: Final = st.one_of(st.sampled_from(NASTY), texts)
fresh_ids: Final = st.uuids().map(str)


def often(*usual: Any, rarely: st.SearchStrategy[Any] = nasty) -> st.SearchStrategy[Any]:
    """One of the usual values, values or strategies; once in twelve times something else."""
    choices = [value if isinstance(value, st.SearchStrategy) else st.just(value) for value in usual]
    turns = [choices[number % len(choices)] for number in range(11)]
    return st.sampled_from([*turns, rarely]).flatmap(lambda strategy: strategy)


ids: Final = often(fresh_ids, fresh_ids, st.sampled_from(IDS))
pairs: Final = st.lists(
    st.tuples(often("1", "2", 3), often("좋다", "나쁘다", texts)).map(list), min_size=1, max_size=5
)
reviews: Final = often(
    pairs,
    rarely=st.one_of(
        st.lists(st.one_of(nasty, st.just({"id": "1", "text": "글"})), max_size=4),
        st.just([["1", "글"]] * 513),
        nasty,
    ),
)
named: Final = st.fixed_dictionaries(
    {"source": often(SOURCE), "submitted_at": often(NOON, st.sampled_from(TIMES))},
    optional={"batch_id": ids},
)
kwargs: Final = often(
    named,
    rarely=st.one_of(
        st.dictionaries(
            st.one_of(st.sampled_from(["source", "task", "self", "args"]), texts), nasty, max_size=3
        ),
        nasty,
    ),
)
callbacks: Final = st.dictionaries(
    st.sampled_from(["callbacks", "errbacks", "chain", "chord", "id", "delivery_info", "args"]),
    nasty,
    max_size=2,
)
calls: Final = st.tuples(
    often(st.tuples(ids, reviews).map(list)),
    kwargs,
    often(None, None, {}, [], {"callbacks": None}, rarely=st.one_of(callbacks, nasty)),
).map(list)
burials: Final = st.tuples(st.lists(nasty, max_size=4), kwargs, st.just(None)).map(list)
bodies: Final = often(calls, rarely=st.one_of(burials, st.lists(nasty, max_size=4), nasty))


@st.composite
def elements(draw: st.DrawFn) -> bytes:
    """Return an element of a queue."""
    compression = draw(often(None, "application/x-gzip", "zlib"))
    body: Any = json.dumps(draw(bodies), ensure_ascii=draw(st.booleans()))
    plain = body.encode("utf-8", "surrogatepass")
    if isinstance(compression, str):
        plain = zlib.compress(plain)
    encoding = draw(often("base64")) if compression else draw(often("base64", None))
    if encoding == "base64" or compression:
        body = b64encode(plain).decode()
    envelope: Any = {
        "body": body,
        "content-type": draw(often("application/json", "application/json; charset=utf-8")),
        "content-encoding": draw(often("utf-8", "UTF-8", "utf8")),
        "headers": draw(headers()) | ({"compression": compression} if compression else {}),
        "properties": {
            "body_encoding": encoding,
            "delivery_tag": "1",
            "delivery_info": draw(often({"exchange": "", "routing_key": Queue.LIVE})),
        },
    }
    if key := draw(often(None, rarely=st.sampled_from([*envelope]))):
        envelope[key] = draw(nasty)
    element = json.dumps(envelope, ensure_ascii=draw(st.booleans()))
    return draw(damaged(element.encode("utf-8", "surrogatepass")))


@st.composite
def headers(draw: st.DrawFn) -> dict[str, Any]:
    """Return headers; most of them name the task."""
    found = {
        "task": draw(often(TASK, rarely=st.one_of(st.just(BURY_TASK), st.just(SWEEP_TASK), nasty))),
        "id": draw(often(fresh_ids)),
    }
    extra = st.sampled_from(["iyu_failures", "expires", "eta", "retries", "timelimit", "root_id"])
    return found | draw(st.dictionaries(extra, nasty, max_size=1))


@st.composite
def damaged(draw: st.DrawFn, element: bytes) -> bytes:
    """Return an element whole in most cases; else cut, or with other bytes somewhere."""
    how = draw(often(None, rarely=st.sampled_from([0, 1, 2])))
    if how is None:
        return element
    at = draw(st.integers(0, len(element)))
    if how == 0:
        return element[:at]
    if how == 1:
        return draw(st.binary(max_size=40))
    return element[:at] + draw(st.binary(min_size=1, max_size=4)) + element[at + 1 :]
