import sys
from typing import Any

import pytest
from kombu.transport.redis import Channel
from sqlalchemy import func, select

from iyu.producer import Producer
from iyu.schemas.contract.errors import BrokerFull, BrokerUnavailable
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.settings import Settings
from iyu.schemas.sql.engine import connect, reading, upgrade
from iyu.schemas.sql.tables import chunks
from tests.harness.services import RedisServer


@pytest.fixture
def settings(redis_server: RedisServer, database_url: str) -> Settings:
    settings = Settings.load(broker_url=redis_server.url, database_url=database_url, chunk_size=50)
    engine = connect(settings.database)
    upgrade(engine)
    engine.dispose()
    return settings


def rows(count: int):
    return ((n, f"리뷰 {n}") for n in range(count))


def in_ledger(settings: Settings) -> tuple[int, int]:
    """Chunks that were accepted, and those that were published."""
    engine = connect(settings.database)
    with reading(engine) as connection:
        query = select(func.count(), func.count(chunks.c.published_at))
        accepted, published = connection.execute(query.select_from(chunks)).one()
    engine.dispose()
    return accepted, published


def test_every_chunk_of_the_ledger_is_a_message(settings, redis_server):
    with Producer(settings, source="test", queue=Queue.BULK) as producer:
        assert producer.submit_many(rows(1000)).chunks == 20
        producer.submit("굳", review_id="x")
    with redis_server.client() as client:
        assert client.llen("reviews.bulk") == 21
    assert in_ledger(settings) == (21, 21)


def test_at_maxmemory_nothing_is_accepted(settings, redis_server):
    with redis_server.client() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 1000)
    with (
        Producer(settings, source="test", queue=Queue.BULK) as producer,
        pytest.raises(BrokerFull, match="maxmemory"),
    ):
        producer.submit_many(rows(1000))
    assert in_ledger(settings) == (0, 0)


def test_a_broker_that_is_down_accepts_nothing(settings, redis_server):
    redis_server.kill()
    with (
        Producer(settings, source="test", queue=Queue.BULK) as producer,
        pytest.raises(BrokerUnavailable, match="does not answer"),
    ):
        producer.submit_many(rows(1000))
    assert in_ledger(settings) == (0, 0)


def test_a_broker_that_restarts_in_the_middle_gets_every_chunk(settings, redis_server):
    def interrupted():
        for number, row in enumerate(rows(2000)):
            if number == 1000:
                redis_server.kill()
                redis_server.restart()
            yield row

    with Producer(settings, source="test", queue=Queue.BULK) as producer:
        receipt = producer.submit_many(interrupted())
    assert (receipt.accepted, receipt.unpublished) == (2000, 0)
    assert in_ledger(settings) == (40, 40)


def own_frames() -> int:
    """Count the stack's frames that run code of iyu."""
    frame: Any = sys._getframe()
    count = 0
    while frame is not None:
        count += frame.f_globals["__name__"].startswith("iyu.")
        frame = frame.f_back
    return count


def test_a_review_passes_few_layers_of_ours_on_its_way_to_redis(settings, monkeypatch):
    depths = []
    put = Channel._put

    def counted(*args: Any, **options: Any) -> Any:
        depths.append(own_frames())
        return put(*args, **options)

    monkeypatch.setattr(Channel, "_put", counted)
    with Producer(settings, source="test", queue=Queue.BULK, linger=60) as producer:
        for number in range(50):
            producer.submit("굳", review_id=number)
        assert len(depths) == 1
    assert depths[0] <= 7
