"""Scenario 4: Redis is killed under load, comes back with its file or empty; a half-open line."""

import time

import pytest

from tests.acceptance.faults.proxy import Proxy
from tests.acceptance.faults.system import System
from tests.harness.polling import poll
from tests.harness.reviews import made

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]

#: Seconds in which workers have to go on, without being restarted by hand.
GO_ON_SECONDS = 60


@pytest.mark.parametrize("empty", [False, True], ids=["with its file", "empty"])
def test_redis_is_killed_under_load(empty: bool, on_postgres: System):
    system = on_postgres
    system.beat()
    worker = system.worker(accident="slow")
    system.submit(made(4_000))
    poll(60, system.done)
    system.redis.kill()
    # What is accepted while the broker is down is safe in the ledger.
    poll(60, lambda: "Trying to reconnect" in worker.output() or "Connection" in worker.output())
    system.redis.restart(empty=empty)
    back = time.monotonic()
    before = system.done()
    poll(GO_ON_SECONDS, lambda: system.done() > before)
    system.submit(made(1_000, first=4_000))
    name = "empty" if empty else "with its file"
    system.judge(f"4 Redis killed under load, back {name}", back, within=GO_ON_SECONDS + 60)
    assert worker.running


def test_a_half_open_connection(on_sqlite: System):
    system = on_sqlite
    with Proxy(system.redis.port) as proxy:
        through = system.redis.url.replace(f":{system.redis.port}/", f":{proxy.port}/")
        worker = system.worker(accident="slow", IYU_BROKER_URL=through)
        system.beat()
        system.submit(made(3_000))
        poll(60, system.done)
        proxy.freeze()
        fault = time.monotonic()
        system.judge("4 half-open connection", fault, within=GO_ON_SECONDS + 60)
        assert worker.running
        assert proxy.frozen
