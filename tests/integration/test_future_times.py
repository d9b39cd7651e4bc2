"""A time of the future counts as the first arrival: it freezes no review, and is seen."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.producer import Producer
from iyu.producer import linger_buffer as producer_clock
from iyu.schemas.contract.message import Chunk, Queue, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading, writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import FakeBroker, FakeScorer

HOUR = timedelta(hours=1)


@pytest.fixture
def runtime(engine: Engine) -> Runtime:
    return Runtime(WorkerSettings.load(), engine, FakeScorer("abc"), None)  # type: ignore[arg-type]


def chunk(text: str, ahead: timedelta) -> Chunk:
    return Chunk(new_id(), "shop", (Review("1", text),), utc_now() + ahead, purpose=Queue.LIVE)


def stored(engine: Engine) -> tuple[str, datetime]:
    with reading(engine) as connection:
        row = connection.execute(select(tables.reviews)).one()
    return row.text, row.submitted_at


def ledger_times(engine: Engine) -> Sequence[tuple[datetime, datetime | None]]:
    with reading(engine) as connection:
        c = tables.chunks.c
        query = select(c.submitted_at, c.arrived_at).order_by(c.submitted_at)
        return [(row.submitted_at, row.arrived_at) for row in connection.execute(query)]


@pytest.mark.parametrize("ahead", [HOUR, 100 * 365 * 24 * HOUR])
def test_a_later_text_replaces_one_of_the_future(runtime: Runtime, ahead: timedelta):
    score_chunk(runtime, chunk("먼저", ahead), [])
    assert stored(runtime.engine)[1] < utc_now() + HOUR / 2
    score_chunk(runtime, chunk("나중", timedelta(0)), [])
    assert stored(runtime.engine)[0] == "나중"


def test_a_second_delivery_gets_the_time_of_the_first(runtime: Runtime):
    late = chunk("먼저", HOUR)
    with writing(runtime.engine) as connection:
        first = ledger.begin(connection, late)  # its process dies now
    score_chunk(runtime, chunk("나중", timedelta(0)), [])
    with writing(runtime.engine) as connection:
        again = ledger.begin(connection, late)
    assert first
    assert again
    assert first.arrived_at == again.arrived_at is not None
    score_chunk(runtime, late, [])
    assert stored(runtime.engine)[0] == "나중"


def test_a_few_minutes_ahead_are_left_as_they_are(runtime: Runtime):
    soon = chunk("글", timedelta(minutes=4))
    score_chunk(runtime, soon, [])
    assert ledger_times(runtime.engine) == [(soon.submitted_at, None)]
    assert stored(runtime.engine)[1] == soon.submitted_at


def test_what_the_ledger_accepts_keeps_its_order(runtime: Runtime):
    first, second = chunk("먼저", HOUR), chunk("나중", HOUR)
    with writing(runtime.engine) as connection:
        ledger.accept(connection, [first, second])
    [(early, _), (late, _)] = ledger_times(runtime.engine)
    assert early < late < utc_now() + HOUR / 2
    score_chunk(runtime, second, [])
    score_chunk(runtime, first, [])
    assert stored(runtime.engine)[0] == "나중"


def test_an_operator_sees_how_often(
    runtime: Runtime, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("IYU_DATABASE_URL", database_url)
    monkeypatch.setenv("IYU_BROKER_URL", "redis://127.0.0.1:1/0")
    failing = chunk("글", timedelta(0))
    score_chunk(runtime, chunk("글", HOUR), [])
    with writing(runtime.engine) as connection:
        ledger.begin(connection, failing)
        ledger.count_failure(connection, failing.chunk_id, "ValueError")
    found = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert (found["future_times"], found["failing_chunks"]) == (1, 1)
    printed = CliRunner().invoke(app, ["status"]).stdout
    assert "future times" in printed
    assert "failing chunks" in printed


def test_a_producer_goes_by_the_databases_clock(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(producer_clock, "utc_now", lambda: utc_now() + HOUR)
    broker = FakeBroker(engine)
    settings = Settings.load(database_url=database_url)
    with Producer(settings, source="shop", broker=broker) as producer:
        producer.submit_many([("1", "먼저")])
        producer.submit_many([("1", "나중")])
    first, second = broker.published
    assert abs(first.submitted_at - utc_now()) < HOUR / 2
    assert first.submitted_at < second.submitted_at
    assert ledger_times(engine) == [
        (first.submitted_at, None), (second.submitted_at, None),
    ]  # fmt: skip


def test_readings_of_a_clock_increase_whatever_it_follows():
    clock = producer_clock.Clock()
    readings = [clock.now()]
    for ahead in (HOUR, -HOUR, 2 * HOUR, timedelta(0)):
        clock.follow(lambda ahead=ahead: utc_now() + ahead)  # type: ignore[misc]
        readings += [clock.now(), clock.now()]
    assert readings == sorted(set(readings))
