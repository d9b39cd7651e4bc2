import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select

from iyu.producer import Producer
from iyu.producer import backpressure as backpressure_module
from iyu.producer import outbox as outbox_module
from iyu.schemas.contract.errors import (
    Backlogged,
    BrokerFull,
    BrokerUnavailable,
    DatabaseOutdated,
    DatabaseUnavailable,
    RejectedReview,
)
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.review import Reason, Rejection
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql.engine import connect, connected, reading, upgrade, writing
from iyu.schemas.sql.tables import batches, chunks
from tests.harness.fakes import FakeBroker
from tests.harness.polling import poll


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path}/iyu.db")
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def broker(engine: Engine) -> FakeBroker:
    return FakeBroker(engine)


@pytest.fixture
def make(engine: Engine, broker: FakeBroker) -> Callable[..., Producer]:
    def make_one(high_water: int = 1000, chunk_size: int = 10, **options: object) -> Producer:
        settings = Settings.load(
            database_url=str(engine.url), high_water=high_water, chunk_size=chunk_size
        )
        given = {"source": "test", "broker": broker, "patience": 0.0, "queue": Queue.BULK}
        return Producer(settings, **(given | options))

    return make_one


def rows(count: int) -> list[tuple[object, object]]:
    return [(n, f"리뷰 {n}") for n in range(count)]


def read(engine: Engine, table=chunks) -> list:
    with reading(engine) as connection:
        return list(connection.execute(select(table)))


def finish_all(connection: Connection) -> None:
    for row in connection.execute(select(chunks.c.chunk_id)).all():
        ledger.finish(connection, row.chunk_id)


def test_many_are_committed_to_the_ledger_and_published(make, engine, broker):
    with make() as producer:
        receipt = producer.submit_many([*rows(95), ("x", ""), Rejection("", Reason.MALFORMED_ROW)])
    assert (receipt.accepted, receipt.chunks, receipt.unpublished) == (95, 10, 0)
    assert receipt.rejected == {Reason.EMPTY: 1, Reason.MALFORMED_ROW: 1}
    assert broker.texts == {str(n): f"리뷰 {n}" for n in range(95)}
    assert all(row.published_at for row in read(engine))
    (batch,) = read(engine, batches)
    assert (batch.accepted, batch.rejected, batch.chunks) == (95, 2, 10)
    assert batch.closed_at is not None


def test_a_later_text_travels_later(make, broker):
    with make() as producer:
        receipt = producer.submit_many([("1", "굳"), ("1", "굳"), ("1", "별로")])
    assert (receipt.accepted, receipt.repeated) == (2, 1)
    first, second = broker.published
    assert first.submitted_at < second.submitted_at
    assert second.reviews[0].text == "별로"


def test_single_reviews_travel_together_after_the_linger(make, broker):
    with make(linger=0.01) as producer:
        for n in range(5):
            producer.submit("굳", review_id=n)
        poll(10, lambda: len(broker.texts) == 5)
        assert len(broker.published) < 5


def test_a_full_chunk_does_not_wait(make, broker):
    with make(linger=60) as producer:
        for n in range(25):
            producer.submit("굳", review_id=n)
        assert [len(chunk.reviews) for chunk in broker.published] == [10, 10]
        producer.flush()
        assert len(broker.texts) == 25


def test_a_bad_review_is_rejected_alone(make, broker):
    with make() as producer:
        producer.submit("굳", review_id="1")
        with pytest.raises(RejectedReview) as rejected:
            producer.submit("\0", review_id="2")
        assert rejected.value.reason is Reason.NUL
    assert broker.texts == {"1": "굳"}


def test_threads_lose_and_double_nothing(make, broker, engine):
    with make(linger=0.001) as producer:

        def work(start: int) -> None:
            for n in range(start, start + 200):
                producer.submit("굳", review_id=n)

        threads = [threading.Thread(target=work, args=(1000 * t,)) for t in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sent = [r.review_id for chunk in broker.published for r in chunk.reviews]
    assert len(sent) == len(set(sent)) == 800
    assert all(row.published_at for row in read(engine))


def test_a_broker_that_fails_after_the_commit_loses_nothing(make, broker, engine):
    broker.publish_error = BrokerUnavailable("down")
    with make() as producer:
        receipt = producer.submit_many(rows(20))
    assert (receipt.accepted, receipt.unpublished) == (20, 20)
    assert [row.published_at for row in read(engine)] == [None, None]
    assert all(row.payload for row in read(engine))


def test_a_broker_that_comes_back_gets_what_it_missed_once(make, broker):
    broker.publish_error = BrokerUnavailable("down")
    with make(linger=60) as producer:
        for n in range(20):
            producer.submit("굳", review_id=n)
        broker.publish_error = None
    assert sorted(broker.texts, key=int) == [str(n) for n in range(20)]
    assert len(broker.published) == 2


def test_nothing_is_accepted_while_the_broker_is_down_or_full(make, broker, engine):
    with make() as producer:
        broker.ping_error = BrokerUnavailable("down")
        with pytest.raises(BrokerUnavailable):
            producer.submit_many(rows(5))
        broker.ping_error, broker.free = None, 100
        with pytest.raises(BrokerFull, match="maxmemory"):
            producer.submit_many(rows(5))
        assert read(engine) == []


def test_a_background_error_is_raised_by_the_next_call_and_nothing_is_lost(make, broker, engine):
    broker.free = 10**9
    producer = make(linger=0.001)
    producer.submit("굳", review_id="1")
    poll(10, lambda: broker.published)
    broker.free = 0
    producer.submit("굳", review_id="2")
    poll(10, lambda: producer._singles._failed)
    with pytest.raises(BrokerFull):
        producer.submit("굳", review_id="3")
    with pytest.raises(BrokerFull):
        producer.close()
    broker.free = None
    producer.close()
    assert set(broker.texts) == {"1", "2"}


def test_a_locked_database_accepts_nothing_and_says_so(make, engine, broker, monkeypatch):
    impatient = partial(connected, busy_ms=50)
    monkeypatch.setattr("iyu.schemas.sql.engine.connected", impatient)
    with make() as producer:
        producer.submit_many(rows(1))
        with writing(engine), pytest.raises(DatabaseUnavailable):
            producer.submit_many(rows(5))
    assert len(broker.published) == 1


def test_a_commit_whose_answer_was_lost_is_not_repeated(make, engine, broker, monkeypatch):
    lost: list[bool] = []

    @contextmanager
    def loses_one_answer(engine: Engine) -> Iterator[Connection]:
        with writing(engine) as connection:
            yield connection
            accepted = connection.execute(select(chunks.c.chunk_id)).all()
        if accepted and not lost:
            lost.append(True)
            raise DatabaseUnavailable("the connection broke after the commit")

    monkeypatch.setattr(outbox_module, "writing", loses_one_answer)
    with make(patience=5.0) as producer:
        assert producer.submit_many(rows(5)).accepted == 5
    assert lost
    assert len(read(engine)) == len(broker.published) == 1


def test_past_the_mark_it_raises_with_the_pending_reviews(make, engine):
    with make(high_water=10, on_full="raise") as producer:
        producer.submit_many(rows(10))
        with pytest.raises(Backlogged) as refused:
            producer.submit_many(rows(10))
    assert (refused.value.pending, refused.value.drain_seconds) == (10, None)


def test_past_the_mark_it_waits_and_reports(make, engine, monkeypatch):
    monkeypatch.setattr(backpressure_module, "POLL_SECONDS", 0.001)
    reported: list[tuple[int, float | None]] = []

    def on_wait(pending: int, seconds: float | None) -> None:
        reported.append((pending, seconds))
        with writing(engine) as connection:
            finish_all(connection)

    with make(high_water=10, on_wait=on_wait) as producer:
        producer.submit_many(rows(10))
        assert producer.submit_many(rows(5)).accepted == 5
    assert reported == [(10, None)]


def test_a_submission_that_breaks_off_is_not_closed(make, engine):
    def broken() -> Iterator[tuple[object, object]]:
        yield from rows(100)
        raise RuntimeError("the file ends here")

    with make() as producer, pytest.raises(RuntimeError):
        producer.submit_many(broken())
    (batch,) = read(engine, batches)
    assert (batch.accepted, batch.chunks, batch.closed_at) == (80, 8, None)


def test_without_the_ledger_the_database_is_not_touched(tmp_path):
    broker = FakeBroker()
    settings = Settings.load(database_url=f"sqlite:///{tmp_path}/none.db")
    with Producer(settings, source="test", ledger=False, broker=broker) as producer:
        assert producer.submit_many(rows(5)).accepted == 5
    assert len(broker.texts) == 5
    assert not (tmp_path / "none.db").exists()


def test_missing_tables_are_an_error_that_names_the_command(tmp_path):
    settings = Settings.load(database_url=f"sqlite:///{tmp_path}/none.db")
    outdated = pytest.raises(DatabaseOutdated, match="iyu db upgrade")
    with Producer(settings, source="test", broker=FakeBroker()) as producer, outdated:
        producer.submit("굳", review_id="1")
