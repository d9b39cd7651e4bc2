"""What a producer and `iyu status` say of a Redis that answers and refuses."""

import json

import pytest

from iyu.producer.producer import Producer
from iyu.schemas.broker.broker import RedisBroker
from iyu.schemas.contract.errors import BrokerUnavailable
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.sql.engine import connected, upgrade
from tests.harness.refusals import REFUSALS, address_of_user
from tests.harness.services import RedisServer, child_environment, run_iyu


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_named_and_passes(
    name: str, redis_server: RedisServer, sqlite_url: str, tmp_path
):
    refusing, words = REFUSALS[name]
    address = address_of_user(redis_server)
    with connected(sqlite_url) as engine:
        upgrade(engine)
    settings = Settings(broker_url=address, database_url=sqlite_url)
    environment = child_environment(IYU_BROKER_URL=address, IYU_DATABASE_URL=sqlite_url)
    chunk = Chunk(new_id(), "test", (Review("1", "좋아요"),), utc_now())
    broker = RedisBroker(settings)
    with refusing(redis_server):
        with pytest.raises(BrokerUnavailable, match=words) as raised:
            broker.publish(chunk)
        assert "does not answer" not in str(raised.value)
        assert "secret" not in str(raised.value)
        status = run_iyu("status", "--json", environment=environment, cwd=tmp_path)
        assert status.returncode == 3
        printed = json.loads(status.stdout)
        assert words in printed["broker_error"]
        assert printed["unacknowledged"] == 0  # what can be read is shown
        health = run_iyu("health", environment=environment, cwd=tmp_path)
        assert health.returncode == 3
        assert words in health.stdout
    broker.publish(chunk)
    broker.close()
    assert run_iyu("status", environment=environment, cwd=tmp_path).returncode == 0


def test_what_a_refusing_broker_cannot_take_is_accepted_and_published_later(
    redis_server: RedisServer, sqlite_url: str
):
    """The ledger has it: the review is safe, and the sweeper publishes it."""
    refusing, _ = REFUSALS["READONLY"]
    with connected(sqlite_url) as engine:
        upgrade(engine)
    settings = Settings(broker_url=redis_server.url, database_url=sqlite_url)
    with (
        refusing(redis_server),
        Producer(settings, source="test", patience=0.2) as producer,
    ):
        receipt = producer.submit_many([("1", "좋아요")])
    assert (receipt.accepted, receipt.unpublished) == (1, 1)
