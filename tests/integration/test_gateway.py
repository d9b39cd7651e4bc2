"""The gateway on both databases: 202 means that the ledger has it, and anything else that not."""

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import orjson
import pytest
from sqlalchemy import Engine, func, select, update

from iyu.console.gateway.tokens import Right, Token, add_token, list_tokens, remove_token
from iyu.schemas.contract.errors import BrokerUnavailable, InputError
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.review import utc_now
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.results import Kind
from iyu.schemas.results.events import record
from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.tables import batches, chunks, gateway_tokens, reviews, tombstones
from iyu.worker.rows import write_chunk as store
from tests.harness.fakes import FakeBroker
from tests.harness.gateway_server import ONE, Client, Served, in_ledger, many, served
from tests.harness.polling import poll
from tests.integration.test_gateway_requests import REJECTED
from tests.integration.test_store import MANIFEST, chunk, write


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def gateway(engine: Engine, broker: FakeBroker) -> Iterator[Served]:
    with served(engine, broker) as running:
        yield running


@pytest.fixture
def shop(gateway: Served) -> Client:
    return gateway.client("shop")


def test_an_accepted_review_is_in_the_ledger_and_then_in_the_broker(engine, gateway, shop, broker):
    answer = shop.post("/reviews", ONE)
    assert answer.status == 202
    assert in_ledger(engine) == [("shop", "1", ONE["text"])]
    accepted = answer.json
    assert (accepted["accepted"], accepted["repeated"], accepted["rejected"]) == (1, 0, [])
    assert answer.headers["location"] == accepted["batch"] == f"/batches/{accepted['batch_id']}"
    poll(30, lambda: broker.texts == {"1": ONE["text"]})
    assert broker.published[0].queue == Queue.LIVE


def test_what_was_published_is_noted_in_the_ledger(engine, gateway, shop, broker):
    shop.post("/reviews", ONE)
    poll(30, gateway.gateway.publish_queue.published)
    shop.post("/reviews", ONE | {"review_id": "2"})
    with reading(engine) as connection:
        times = connection.scalars(select(chunks.c.published_at).order_by(chunks.c.queued_at)).all()
    assert times[0] is not None


def test_a_review_may_say_when_it_was_written(engine, gateway, shop, broker):
    day = "2024-02-29T12:00:00+09:00"
    answer = shop.post("/reviews", [ONE | {"written_at": day}, *many(2)])
    assert answer.status == 202
    poll(30, lambda: len(broker.texts) == 3)
    times = {
        review.review_id: review.written_at for part in broker.published for review in part.reviews
    }
    assert times == {"1": datetime.fromisoformat(day), "r0": None, "r1": None}
    assert shop.post("/reviews", ONE | {"written_at": "yesterday"}).status == 422


def test_arrays_lines_and_gzip_are_the_same(engine, gateway, shop):
    lines = b"\n".join(map(orjson.dumps, many(3))) + b"\n\n"
    packed = gzip.compress(lines[:40]) + gzip.compress(lines[40:])  # two members behind each other
    for source, send in {
        "array": lambda client: client.post("/reviews", many(3)),
        "lines": lambda client: client.post(
            "/reviews", lines, Content_Type="application/x-ndjson; charset=UTF-8"
        ),
        "packed": lambda client: client.post(
            "/reviews", packed, Content_Type="application/jsonl", Content_Encoding="gzip"
        ),
    }.items():
        assert send(gateway.client(source)).json["accepted"] == 3
        found = [(key, text) for of, key, text in in_ledger(engine) if of == source]
        assert sorted(found) == [(f"r{i}", f"글 {i}") for i in range(3)]


def test_a_text_is_trimmed_and_a_number_is_its_digits(engine, shop):
    assert shop.post("/reviews", {"review_id": 17, "text": "  \u1100\u1161 "}).status == 202
    assert in_ledger(engine) == [("shop", "17", "가")]


def test_rejected_reviews_are_left_out_where_that_is_asked_for(engine, shop):
    reviews = [many(1)[0], *REJECTED.values()]
    answer = shop.post("/reviews?skip_rejected=true", reviews)
    assert answer.status == 202
    assert [one["reason"] for one in answer.json["rejected"]] == list(REJECTED)
    assert in_ledger(engine) == [("shop", "r0", "글 0")]
    batch = shop.get(answer.json["batch"]).json
    assert (batch["accepted"], batch["rejected"]) == (1, len(REJECTED))
    assert shop.post("/reviews?skip_rejected=true", [REJECTED["empty"]]).status == 422


def test_the_same_request_twice_changes_nothing(engine, gateway, shop, broker):
    first, second = shop.post("/reviews", ONE), shop.post("/reviews", ONE)
    assert {first.status, second.status} == {202}
    with writing(engine) as connection:
        store.register_model(connection, "v1", MANIFEST)
    for sent in poll(30, lambda: len(broker.published) == 2 and broker.take()):
        write(engine, sent)
    lines = [line for line in shop.results() if line["kind"] == "scored"]
    assert {line["review_id"] for line in lines} == {"1"}
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(reviews)).scalar() == 1


def test_of_two_texts_of_one_request_the_later_one_stands(engine, gateway, shop, broker):
    answer = shop.post(
        "/reviews", [ONE, ONE | {"text": "다시 보니 별로"}, ONE | {"text": "다시 보니 별로"}]
    )
    assert (answer.json["accepted"], answer.json["repeated"]) == (2, 1)
    with writing(engine) as connection:
        store.register_model(connection, "v1", MANIFEST)
    for sent in reversed(poll(30, lambda: len(broker.published) == 2 and broker.take())):
        write(engine, sent)
    assert shop.results()[-1]["text"] == "다시 보니 별로"


def test_small_requests_at_once_share_transactions_and_messages(engine, gateway, shop, broker):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda one: shop.post("/reviews", one), many(200)))
    assert {answer.status for answer in answers} == {202}
    assert sorted(key for _, key, _ in in_ledger(engine)) == sorted(f"r{i}" for i in range(200))
    named = {answer.json["batch_id"] for answer in answers}
    with reading(engine) as connection:
        rows = connection.execute(select(batches)).all()
    assert {row.batch_id for row in rows} == named
    assert sum(row.accepted for row in rows) == 200
    assert len(rows) < 200
    assert all(row.closed_at for row in rows)


def test_a_large_request_is_a_batch_of_its_own(engine, gateway, shop, broker):
    answer = shop.post("/reviews?queue=bulk", many(1000))
    with reading(engine) as connection:
        [row] = connection.execute(select(batches)).all()
        sizes = connection.scalars(select(chunks.c.review_count)).all()
    assert (row.batch_id, row.accepted, row.chunks) == (answer.json["batch_id"], 1000, 2)
    assert sorted(sizes) == [488, 512]
    assert {sent.queue for sent in poll(30, broker.take)} == {Queue.BULK}


def test_a_broker_that_is_down_keeps_nobody_from_being_accepted(engine, gateway, shop, broker):
    broker.publish_error = broker.ping_error = BrokerUnavailable("down")
    assert shop.post("/reviews", ONE).status == 202
    assert in_ledger(engine) == [("shop", "1", ONE["text"])]
    poll(30, lambda: shop.get("/health").json["broker"] == "down")
    assert shop.get("/health").status == 200
    broker.publish_error = broker.ping_error = None
    poll(30, lambda: broker.texts == {"1": ONE["text"]})


def test_past_the_high_water_mark_it_says_when_to_come_back(engine, broker):
    with served(engine, broker, high_water=100) as gateway:
        shop = gateway.client("shop")
        assert shop.post("/reviews", many(100)).status == 202
        answer = shop.post("/reviews", ONE)
        assert answer.status == 429
        assert len(in_ledger(engine)) == 100
        poll(30, lambda: shop.post("/reviews", ONE).headers.get("retry-after") == "30")
        with writing(engine) as connection:  # 50 of 100 were scored within the last minute
            found = connection.execute(select(chunks.c.chunk_id, chunks.c.review_count)).all()
            small = min(found, key=lambda row: row.review_count)
            ledger.finish(connection, small.chunk_id)
        poll(30, lambda: shop.post("/reviews", ONE).status == 202)


def test_retry_after_is_the_drain_time_of_what_is_too_much(engine, broker):
    with served(engine, broker, high_water=64) as gateway:
        shop = gateway.client("shop")
        assert shop.post("/reviews?queue=bulk", many(512)).status == 202
        with writing(engine) as connection:
            ledger.accept(connection, [chunk({str(i): "글" for i in range(12)})])
            [done] = connection.scalars(
                select(chunks.c.chunk_id).where(chunks.c.review_count == 12)
            )
            ledger.finish(connection, done)
        # 449 reviews too many, at 12 a minute: longer than anybody is sent away for.
        poll(30, lambda: shop.post("/reviews", ONE).headers.get("retry-after") == "300")


def test_a_full_broker_is_back_pressure_too(engine, broker):
    broker.free = 5_000
    with served(engine, broker) as gateway:
        shop = gateway.client("shop")
        assert shop.post("/reviews", ONE).status == 202
        answer = shop.post("/reviews", ONE | {"text": "글" * 2_000})
        assert answer.status == 429
        assert int(answer.headers["retry-after"]) >= 1


def test_a_token_sees_and_erases_its_own_source_alone(engine, gateway, shop, broker):
    other = gateway.client("other")
    batch = shop.post("/reviews", ONE).json["batch"]
    assert shop.get(batch).json["source"] == "shop"
    assert other.get(batch).status == 404
    with writing(engine) as connection:
        store.register_model(connection, "v1", MANIFEST)
    for sent in poll(30, broker.take):
        write(engine, sent)
    assert [line["review_id"] for line in shop.results()] == ["1"]
    assert other.results() == []
    assert other.request("DELETE", "/reviews/1").json == {"stored": 0, "pending": 0, "letters": 0}
    assert shop.request("DELETE", "/reviews/1").json["stored"] == 1
    assert [line["kind"] for line in shop.results()] == ["erased"]


def test_a_batch_is_followed_from_pending_to_finished(engine, gateway, shop, broker):
    batch = shop.post("/reviews", many(5)).json["batch"]
    assert shop.get(batch).json["pending"] == 5
    with writing(engine) as connection:
        store.register_model(connection, "v1", MANIFEST)
    for sent in poll(30, broker.take):
        write(engine, sent)
        with writing(engine) as connection:
            ledger.finish(connection, sent.chunk_id)
    state = shop.get(batch).json
    assert (state["scored"], state["pending"], state["is_finished"]) == (5, 0, True)
    for wrong in ("0", "x" * 36, "%00", batch.removeprefix("/batches/")[:-1] + "g"):
        assert shop.get(f"/batches/{wrong}").status == 404


def test_erasing_takes_all_or_none(engine, gateway, shop):
    shop.post("/reviews", many(3))
    answer = shop.post("/reviews/forget", {"review_ids": ["r0", "", 1.5, "x" * 201]})
    assert answer.status == 422
    assert [one["index"] for one in answer.json["rejected"]] == [1, 2, 3]
    assert len(in_ledger(engine)) == 3
    for body in (b"[]", b"{}", b'{"review_ids": "r0"}', b"null", b'{"review_ids": {}}', b"\xff"):
        assert shop.post("/reviews/forget", body).status == 400
    assert shop.post("/reviews/forget", {"review_ids": []}).status == 422
    assert shop.post("/reviews/forget", {"review_ids": ["x"] * 2_001}).status == 422
    assert shop.request("DELETE", "/reviews/%FF").status == 400
    assert shop.request("DELETE", "/reviews/%20").status == 422
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(tombstones)).scalar() == 0


def test_results_are_filtered_and_paged_without_a_gap(engine, gateway, shop):
    with writing(engine) as connection:
        store.register_model(connection, "v1", MANIFEST)
    for number in range(20):
        write(engine, chunk({f"s{number}": "글"}), probability=0.9 if number % 2 else 0.1)
    lines = shop.results()
    assert [line["review_id"] for line in lines] == [f"s{number}" for number in range(20)]
    assert "heat" not in lines[0]
    assert shop.results(with_heat="true")[0]["heat"]
    assert [line["review_id"] for line in shop.results(after=lines[17]["cursor"])] == ["s18", "s19"]
    assert len(shop.results(label="negative")) == len(shop.results(below="0.5")) == 10
    assert len(shop.results(above="0.5")) == 10
    assert shop.get("/results?after=now").json["results"] == []


def test_lines_of_other_sources_are_passed_over(engine, gateway, shop):
    for number in range(100):
        with writing(engine) as connection:
            record(connection, Kind.ERASED, "other", [str(number)])
    with writing(engine) as connection:
        record(connection, Kind.ERASED, "shop", ["mine"])
    page = shop.get("/results?after=0").json
    assert [line["review_id"] for line in page["results"]] == ["mine"]


def test_a_new_token_works_and_a_removed_or_old_one_does_not(engine, gateway, shop):
    assert shop.post("/reviews", ONE).status == 202
    later = gateway.client("shop")
    poll(10, lambda: later.post("/reviews", ONE).status == 202)  # two at once: rotation
    with writing(engine) as connection:
        first, second = list_tokens(connection)
        remove_token(connection, first.token_id)
        connection.execute(
            update(gateway_tokens)
            .where(gateway_tokens.c.token_id == second.token_id)
            .values(expires_at=utc_now() - timedelta(seconds=1))
        )
    poll(30, lambda: shop.post("/reviews", ONE).status == 401)
    poll(30, lambda: later.post("/reviews", ONE).status == 401)


def test_the_database_keeps_no_token(engine):
    with writing(engine) as connection:
        token = add_token(connection, "shop", note="a note")
        [row] = connection.execute(select(gateway_tokens)).all()
        [kept] = list_tokens(connection)
    secret = token.split("_", 2)[2]
    assert len(secret) >= 43
    assert secret not in repr(tuple(row)) + repr(kept)
    assert kept == Token(kept.token_id, "shop", frozenset({Right.SUBMIT, Right.READ}),
                         kept.created_at, None, "a note", kept.secret_hash)  # fmt: skip
    with writing(engine) as connection, pytest.raises(InputError, match="source"):
        add_token(connection, " ")
    with writing(engine) as connection, pytest.raises(InputError, match="no token"):
        remove_token(connection, "nobody")


def test_an_open_gateway_takes_everything_for_one_source(engine, broker):
    with served(engine, broker, open_source="trial") as gateway:
        nobody = Client(gateway.port, None)
        assert nobody.post("/reviews", ONE).status == 202
        assert in_ledger(engine) == [("trial", "1", ONE["text"])]
        # A foreign site that gives this machine a name of its own.
        assert nobody.post("/reviews", ONE, Host="evil.example").status == 400


def test_nothing_of_an_unforeseen_error_is_shown(engine, gateway, shop, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise RuntimeError(f"what it stumbled over: {ONE['text']}")

    monkeypatch.setattr("iyu.console.gateway.group_commit.add_complete_batches", fail)
    answer = shop.post("/reviews", ONE)
    assert answer.status == 500
    assert ONE["text"] not in answer.body + caplog.text
    assert "RuntimeError" in caplog.text
    assert in_ledger(engine) == []
    monkeypatch.undo()
    assert shop.post("/reviews", ONE).status == 202
