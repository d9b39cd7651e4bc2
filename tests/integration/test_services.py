"""The services that the other tests stand on do what they say."""

import psycopg
import pytest
import redis
from sqlalchemy import inspect, text

from iyu.console.local.embedded_redis import EmbeddedRedis
from iyu.schemas.contract.errors import BrokerUnavailable
from iyu.schemas.sql.engine import check, connect, reading, upgrade
from iyu.schemas.sql.views import NAMES
from tests.harness.polling import poll
from tests.harness.postgres_server import PostgresServer
from tests.harness.services import RedisServer


def test_redis_keeps_messages_over_a_clean_stop(redis_server: RedisServer):
    with redis_server.client() as client:
        client.lpush("reviews.bulk", "waiting")
    redis_server.stop()
    redis_server.restart()
    with redis_server.client() as client:
        assert client.lrange("reviews.bulk", 0, -1) == ["waiting"]


def test_redis_can_come_back_empty(redis_server: RedisServer):
    with redis_server.client() as client:
        client.lpush("reviews.bulk", "waiting")
    redis_server.kill()
    redis_server.restart(empty=True)
    with redis_server.client() as client:
        assert client.dbsize() == 0


def test_redis_refuses_who_does_not_know_the_password(redis_server: RedisServer):
    with (
        redis.Redis(port=redis_server.port) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def fill(client: redis.Redis) -> None:
    for number in range(1_000):
        client.set(f"filler:{number}", "x" * 10_000)


def test_redis_at_maxmemory_refuses_and_forgets_nothing(tmp_path):
    server = RedisServer(tmp_path, maxmemory="2mb")
    server.start()
    try:
        with server.client() as client:
            client.set("first", "kept")
            with pytest.raises(redis.OutOfMemoryError):
                fill(client)
            assert client.get("first") == "kept"
    finally:
        server.kill()


def test_redis_that_cannot_start_says_where_its_log_is(redis_server: RedisServer, tmp_path):
    second = EmbeddedRedis(tmp_path / "second", port=redis_server.port)
    with pytest.raises(BrokerUnavailable, match=r"redis\.log"):
        second._wait(tmp_path / "redis.log")


def test_each_test_gets_an_empty_database_that_takes_the_tables(database_url: str):
    engine = connect(database_url)
    assert inspect(engine).get_table_names() == []
    upgrade(engine)
    check(engine)
    with reading(engine) as connection:
        for view in NAMES:
            assert connection.execute(text(f"SELECT COUNT(*) FROM {view}")).scalar_one() == 0
    engine.dispose()


def test_postgres_comes_back_after_a_stop(postgres: PostgresServer, postgres_url: str):
    postgres.stop()
    postgres.start()

    def answers() -> bool:
        with psycopg.connect(postgres_url) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)

    assert poll(60, answers)
