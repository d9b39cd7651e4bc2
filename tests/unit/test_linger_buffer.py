"""Past the high-water mark: who waits, and what ends the waiting."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from iyu.producer import Producer
from iyu.producer import backpressure as backpressure_module
from iyu.producer import producer as producer_module
from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.message import Chunk, Queue, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql.engine import connect, reading, upgrade, writing
from iyu.schemas.sql.tables import chunks
from tests.harness.fakes import FakeBroker

HIGH_WATER = 10
#: Seconds until a call counts as blocked.
DEADLINE = 10.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path}/iyu.db")
    upgrade(engine)
    yield engine
    finish_all(engine)  # lets go whatever a failed test left waiting
    engine.dispose()


@pytest.fixture
def is_waiting() -> threading.Event:
    """Set once a producer waits for workers."""
    return threading.Event()


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def producer(engine: Engine, broker, is_waiting, monkeypatch: pytest.MonkeyPatch) -> Producer:
    monkeypatch.setattr(backpressure_module, "COUNT_AGE", 0.0)
    monkeypatch.setattr(producer_module, "BULK_LINGER", 0.001)
    return Producer(
        Settings.load(database_url=str(engine.url), high_water=HIGH_WATER, chunk_size=10),
        source="test",
        broker=broker,
        queue=Queue.BULK,
        linger=0.001,
        patience=0.0,
        on_wait=lambda _pending, _seconds: is_waiting.set(),
    )


def fill(engine: Engine) -> None:
    """Accept as many reviews of somebody else as the high-water mark allows."""
    reviews = tuple(Review(f"other {n}", "굳") for n in range(HIGH_WATER))
    with writing(engine) as connection:
        ledger.accept(connection, [Chunk(new_id(), "other", reviews, utc_now())])


def finish_all(engine: Engine) -> None:
    with writing(engine) as connection:
        for chunk_id in connection.scalars(select(chunks.c.chunk_id)).all():
            ledger.finish(connection, chunk_id)


def ids(broker: FakeBroker) -> set[str]:
    return {review.review_id for chunk in broker.published for review in chunk.reviews}


def run(call: Callable[[], object]) -> BaseException | None:
    """Return what a call raises, None for nothing; fail if it does not return in time."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            call()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(DEADLINE)
    assert not thread.is_alive(), "it is blocked"
    return raised[0] if raised else None


def test_a_submit_that_only_gathers_never_waits_for_workers(engine, producer, broker, is_waiting):
    producer.submit("굳", review_id="1")
    producer.flush()
    fill(engine)
    producer.submit("굳", review_id="2")
    assert is_waiting.wait(DEADLINE)
    assert run(partial(producer.submit, "굳", review_id="3")) is None
    assert ids(broker) == {"1"}  # nothing was accepted past the mark
    finish_all(engine)
    producer.close()
    assert ids(broker) == {"1", "2", "3"}


def test_ctrl_c_ends_a_submission_that_waits_in_the_background(
    engine, producer, broker, is_waiting
):
    def interrupted() -> Iterator[tuple[object, object]]:
        fill(engine)
        yield "1", "굳"
        assert is_waiting.wait(DEADLINE)
        raise KeyboardInterrupt

    assert isinstance(run(lambda: producer.submit_many(interrupted())), KeyboardInterrupt)
    assert broker.published == []
    with reading(engine) as connection:
        assert set(connection.scalars(select(chunks.c.source))) == {"other"}
    producer.close()


def test_ctrl_c_ends_a_producer_that_waits_and_says_what_is_not_accepted(
    engine, producer, broker, is_waiting
):
    def interrupted() -> None:
        with producer:
            producer.submit("굳", review_id="1")
            producer.flush()
            fill(engine)
            producer.submit("굳", review_id="2")
            assert is_waiting.wait(DEADLINE)
            raise KeyboardInterrupt

    error = run(interrupted)
    assert isinstance(error, KeyboardInterrupt)
    assert "1 reviews were not accepted" in error.__notes__[0]
    assert ids(broker) == {"1"}
    finish_all(engine)
    producer.close()


def test_a_closed_producer_takes_nothing_more(producer, broker):
    producer.submit("굳", review_id="1")
    producer.close()
    with pytest.raises(IyuError, match="closed"):
        producer.submit("굳", review_id="2")
    assert ids(broker) == {"1"}
