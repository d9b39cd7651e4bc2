"""Every request that a gateway must refuse or take, whatever is in it; one gateway for all."""

import gzip
import json
import socket
from collections.abc import Iterator
from urllib.parse import quote

import orjson
import pytest
from sqlalchemy import Engine

from iyu.console.gateway.body import MAX_BODY
from iyu.console.gateway.reviews_in_body import MAX_REVIEWS
from iyu.console.gateway.tokens import Right
from iyu.console.web.listener import listen
from iyu.schemas.sql.engine import connected, upgrade
from tests.harness.fakes import FakeBroker
from tests.harness.gateway_server import ONE, Client, Served, in_ledger, many, served


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    file = tmp_path_factory.mktemp("gateway") / "iyu.db"
    with connected(f"sqlite:///{file}") as engine:
        upgrade(engine)
        with served(engine, FakeBroker()) as running:
            yield running


@pytest.fixture(scope="module")
def shop(gateway: Served) -> Client:
    return gateway.client("shop")


@pytest.fixture
def engine(gateway: Served) -> Engine:
    return gateway.engine


@pytest.fixture
def before(engine: Engine) -> int:
    """Reviews in the ledger before a test."""
    return len(in_ledger(engine))


REJECTED = {
    "empty": {"review_id": "1", "text": " \n"},
    "not-text": {"review_id": "1", "text": 5},
    "missing-id": {"text": "글"},
    "bad-id": {"review_id": 1.5, "text": "글"},
    "nul-character": {"review_id": "1", "text": "a\0b"},
    "too-long": {"review_id": "1", "text": "글" * 10_001},
    "malformed-row": {"review_id": "1", "text": "글", "txt": "a misspelt field"},
}


@pytest.mark.parametrize("reason", REJECTED)
def test_one_rejected_review_refuses_the_whole_request(engine, shop, before, reason):
    answer = shop.post("/reviews", [*many(2), REJECTED[reason]])
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    [rejected] = answer.json["rejected"]
    assert (rejected["index"], rejected["reason"]) == (2, reason)
    assert len(in_ledger(engine)) == before


def test_a_broken_line_is_one_rejected_review(shop):
    body = b'{"review_id": "1", "text": "\xea\xb8\x80"}\n{"review_id": "2", \n[]\n\xff\n'
    answer = shop.post("/reviews", body, Content_Type="application/jsonl")
    assert [(one["index"], one["reason"]) for one in answer.json["rejected"]] == [
        (1, "malformed-row"), (2, "malformed-row"), (3, "malformed-row"),
    ]  # fmt: skip


MALFORMED: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "nothing": (400, b"", {}),
    "no JSON": (400, b'{"review_id": ', {}),
    "no UTF-8": (400, b'{"review_id": "1", "text": "\xff"}', {}),
    "half a character": (400, b'{"review_id": "1", "text": "\\ud800"}', {}),
    "a text": (400, b'"text"', {}),
    "no review": (400, b"[]", {}),
    "nested": (400, b"[" * 100_000, {}),
    "too many": (422, orjson.dumps([{}] * (MAX_REVIEWS + 1)), {}),
    "too many lines": (422, b"{}\n" * (MAX_REVIEWS + 1), {"Content_Type": "application/jsonl"}),
    "too large": (413, b" " * (MAX_BODY + 1), {}),
    "no gzip": (400, b"{}", {"Content_Encoding": "gzip"}),
    "cut off": (400, gzip.compress(b"[]" * 100)[:-4], {"Content_Encoding": "gzip"}),
    "a bomb": (413, gzip.compress(b" " * 60_000_000), {"Content_Encoding": "gzip"}),
    "bombs": (413, gzip.compress(b" " * 1_000_000) * 60, {"Content_Encoding": "gzip"}),
    "gzips of nothing": (400, gzip.compress(b"") * 150_000, {"Content_Encoding": "gzip"}),
    "an encoding": (415, b"{}", {"Content_Encoding": "br"}),
    "two encodings": (415, b"{}", {"Content_Encoding": "gzip, gzip"}),
    "a form": (415, b"a=b", {"Content_Type": "application/x-www-form-urlencoded"}),
    "no type": (415, b"{}", {"Content_Type": ""}),
    "a charset": (415, b"{}", {"Content_Type": "application/json; charset=euc-kr"}),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused_whole_and_in_words(engine, shop, before, name):
    status, body, headers = MALFORMED[name]
    answer = shop.post("/reviews", body, **headers)
    assert answer.status == status, answer.body
    assert answer.json["detail"]
    assert len(in_ledger(engine)) == before


@pytest.mark.parametrize(
    "address",
    ["/reviews?queue=fast", "/reviews?skip_rejectd=true", "/reviews?queue=live&queue=bulk"],
)
def test_a_misspelt_parameter_is_refused(engine, shop, before, address):
    assert shop.post(address, ONE).status == 400
    assert len(in_ledger(engine)) == before


def test_a_chunked_body_ends_at_the_limit(gateway, shop):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        head = (
            f"POST /reviews HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shop.token}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.sendall(head.encode())
        part = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        with pytest.raises(OSError, match=r"reset|[Bb]roken"):  # noqa: PT012
            for _ in range(100):
                connection.sendall(part)


IDS = ["4711", "a/b", "a//b/", "/", "..", "../..", "a?b#c", "100%25", "줄\n바꿈", "\u3000x", "a;b",
       "forget", "é", "e\u0301", "\U0001f600", "%2F", "+", "a b"]  # fmt: skip


@pytest.mark.parametrize("review_id", IDS)
def test_every_id_can_be_erased_by_its_address_and_by_a_body(engine, gateway, shop, review_id):
    clean = review_id.strip()
    shop.post("/reviews", [{"review_id": review_id, "text": "글"}, *many(1)])
    erased = shop.request("DELETE", f"/reviews/{quote(review_id, safe='')}")
    assert (erased.status, erased.json["pending"]) == (200, 1), erased.body
    left = {key for _, key, _ in in_ledger(engine)}
    assert ("r0" in left, clean in left) == (True, False)
    shop.post("/reviews", {"review_id": review_id, "text": "글"})
    erased = shop.post("/reviews/forget", {"review_ids": [review_id]})
    assert erased.json["pending"] == 1
    assert clean not in {key for _, key, _ in in_ledger(engine)}


CURSORS = {
    "": 400, "x": 400, "-1": 400, "MC4w": 400, "ZS4wLjAuMA": 410,
    "ZS45OTk5OTk5OTk5OTk5OTk5OTk5OTk5LjAuMA": 400,  # e.9999999999999999999999.0.0
}  # fmt: skip


@pytest.mark.parametrize("cursor", CURSORS)
def test_a_cursor_that_cannot_be_followed_is_refused(shop, cursor):
    assert shop.get(f"/results?after={cursor}").status == CURSORS[cursor]
    assert shop.get("/results").status == 400
    for wrong in ("below=nan", "below=x", "label=good", "with_heat=1", "limit=5"):
        assert shop.get(f"/results?after=0&{wrong}").status == 400


WRONG_TOKENS = [
    None, "", "x", "iyu", "iyu_", "iyu__", "iyu_0badbeef_secret", "iyu_" + "x" * 5_000,
    "iyu_a_\xe9",
]  # fmt: skip


@pytest.mark.parametrize("token", WRONG_TOKENS)
def test_without_a_known_token_nothing_is_given(engine, gateway, before, token):
    nobody = Client(gateway.port, token)
    for answer in (
        nobody.post("/reviews", ONE),
        nobody.post("/reviews", b"broken"),
        nobody.post("/reviews/forget", {"review_ids": ["1"]}),
        nobody.get("/results?after=0"),
        nobody.get("/batches/x"),
        nobody.request("DELETE", "/reviews/1"),
    ):
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    assert len(in_ledger(engine)) == before


def test_a_token_with_another_ones_secret_is_none(gateway, shop):
    other = gateway.client("other")
    assert shop.token is not None
    assert other.token is not None
    mixed = shop.token.rsplit("_", 1)[0][:12] + "_" + other.token[13:]
    assert mixed not in {shop.token, other.token}
    assert Client(gateway.port, mixed).post("/reviews", ONE).status == 401


@pytest.mark.parametrize("right", list(Right))
def test_a_token_may_do_what_it_was_made_for(gateway, right):
    client = gateway.client("shop", right)
    found = {
        Right.SUBMIT: client.post("/reviews", ONE).status,
        Right.READ: client.get("/results?after=0").status,
        Right.FORGET: client.request("DELETE", "/reviews/1").status,
    }
    assert [of for of, status in found.items() if status < 300] == [right]
    assert {status for of, status in found.items() if of is not right} == {403}


def test_what_there_is_not_is_a_problem_too(shop):
    for method, path, status in (
        ("GET", "/", 404), ("GET", "/reviews", 405), ("PUT", "/reviews/1", 405),
        ("GET", "/reviews/1", 405), ("POST", "/results", 405), ("DELETE", "/reviews/", 422),
    ):  # fmt: skip
        answer = shop.request(method, path)
        assert (answer.status, json.loads(answer.body)["status"]) == (status, status), path


def test_health_and_description_ask_for_no_token(gateway):
    nobody = Client(gateway.port, None)
    assert nobody.get("/health").json == {"database": "ok", "broker": "ok"}
    assert nobody.get("/health/live").json == {"gateway": "ok"}
    assert nobody.get("/openapi.json").json["openapi"] == "3.1.0"


def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_first_part():
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
