"""Scenario 15: the master fails under load, and Sentinels promote its replica."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from iyu.schemas.contract.errors import SettingsError
from tests.acceptance.faults.system import System
from tests.harness.polling import poll
from tests.harness.ports import own_port
from tests.harness.reviews import made
from tests.harness.services import RedisServer
from tests.harness.skipping import skip_without

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]

MASTER = "reviews"
#: Sentinels, and how many must agree that the master is down.
SENTINELS, QUORUM = 3, 2
GO_ON_SECONDS = 90


class Sentinels:
    """Three Sentinels over a master and its replica, which share a password."""

    def __init__(self, master: RedisServer, replica: RedisServer, folder: Path) -> None:
        self.master, self.replica = master, replica
        program = shutil.which("redis-sentinel")
        if program is None:
            skip_without("redis-sentinel (apt install redis-sentinel)")
        self._follow()
        # A port stays ours as long as its owner lives: one owner for each.
        self.ports = {own_port(owner): owner for owner in map(Owner, range(SENTINELS))}
        self._processes = [
            subprocess.Popen([program, self._configuration(port, folder)],
                             stdout=subprocess.DEVNULL)
            for port in self.ports
        ]  # fmt: skip
        poll(60, self._see_each_other)

    @property
    def url(self) -> str:
        first, *others = (f"127.0.0.1:{port}" for port in self.ports)
        addresses = [f"sentinel://default:{self.master.password}@{first}"]
        return ";".join([*addresses, *(f"sentinel://{other}" for other in others)]) + "/0"

    def promoted(self) -> bool:
        """Whether the replica is the master now."""
        with suppress(redis.RedisError), self.replica.client() as client:
            return client.role()[0] == "master"
        return False

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def _follow(self) -> None:
        password = self.master.password
        with self.master.client() as client:
            client.config_set("masterauth", password)
        with self.replica.client() as client:
            client.config_set("masterauth", password)
            client.replicaof("127.0.0.1", self.master.port)
            poll(60, lambda: client.info("replication")["master_link_status"] == "up")

    def _configuration(self, port: int, folder: Path) -> Path:
        own = folder / f"sentinel-{port}"
        own.mkdir()
        file = own / "sentinel.conf"
        file.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {own}\nprotected-mode no\n"
            f"sentinel monitor {MASTER} 127.0.0.1 {self.master.port} {QUORUM}\n"
            f"sentinel auth-pass {MASTER} {self.master.password}\n"
            f"sentinel down-after-milliseconds {MASTER} 1000\n"
            f"sentinel failover-timeout {MASTER} 5000\n"
        )
        return file

    def _see_each_other(self) -> bool:
        with suppress(redis.RedisError):
            for port in self.ports:
                with redis.Redis(port=port) as client:
                    state = client.sentinel_master(MASTER)
                    if state["num-other-sentinels"] < SENTINELS - 1 or not state["num-slaves"]:
                        return False
            return True
        return False


class Owner:
    """Holds a port."""

    def __init__(self, number: int) -> None:
        self.number = number


@pytest.fixture
def sentinels(redis_server: RedisServer, tmp_path: Path) -> Iterator[Sentinels]:
    replica = RedisServer(tmp_path / "replica")
    replica.password = redis_server.password
    try:
        replica.start()
    except SettingsError as error:
        skip_without(str(error))
    found = Sentinels(redis_server, replica, tmp_path)
    yield found
    found.stop()
    replica.kill()


def test_a_failover_under_load(on_postgres: System, sentinels: Sentinels):
    system = on_postgres
    system.environment |= {"IYU_BROKER_URL": sentinels.url, "IYU_REDIS_MASTER": MASTER}
    system.beat()
    worker = system.worker(accident="slow")
    system.submit(made(4_000))
    poll(60, system.done)
    system.redis.kill()
    fault = time.monotonic()
    poll(60, sentinels.promoted)
    system.redis = sentinels.replica
    before = system.done()
    poll(GO_ON_SECONDS, lambda: system.done() > before)
    system.submit(made(1_000, first=4_000))
    system.judge("15 failover by Sentinel under load", fault, within=GO_ON_SECONDS + 60)
    assert worker.running
