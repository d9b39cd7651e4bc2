"""Scenario 16: two worker hosts, as network namespaces; one is cut off, and comes back."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from sqlalchemy import make_url, select

from iyu.schemas.sql.engine import reading
from iyu.schemas.sql.tables import heartbeats
from tests.acceptance.faults.system import System
from tests.harness.polling import poll
from tests.harness.reviews import made
from tests.harness.services import Process
from tests.harness.skipping import skip_without

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]

#: Longer than the visibility timeout and the time limit of these tests (10 and 8 s).
CUT_SECONDS = 60.0
GO_ON_SECONDS = 120
REVIEWS = 6_000


@dataclass
class Host:
    """A network namespace with a cable to Redis and one to the database."""

    name: str
    redis: str  # the address at the other end of the cable
    database: str

    def cut(self, *sides: str) -> None:
        """Pull cables: packets are lost, nobody is told."""
        for side in sides:
            ip("link", "set", f"{self.name}{side}", "down")

    def mend(self, *sides: str) -> None:
        for side in sides:
            ip("link", "set", f"{self.name}{side}", "up")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def connect(host: Host, number: int) -> None:
    ip("netns", "add", host.name)
    for side, address in (("r", host.redis), ("d", host.database)):
        here, there = f"{host.name}{side}", f"{host.name}{side}x"
        ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", host.name)
        ip("address", "add", f"{address}/30", "dev", here)
        ip("link", "set", here, "up")
        inside = ("netns", "exec", host.name, "ip")
        theirs = address.rpartition(".")[0] + ".2"
        ip(*inside, "address", "add", f"{theirs}/30", "dev", there)
        ip(*inside, "link", "set", there, "up")
    ip("netns", "exec", host.name, "ip", "link", "set", "lo", "up")


@pytest.fixture
def hosts() -> Iterator[list[Host]]:
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("no right to make network namespaces here")
    tag = f"iyu{os.getpid() % 10_000}"
    net = os.getpid() % 200
    found = [
        Host(f"{tag}{letter}", f"10.{net}.{number}.1", f"10.{net}.{number + 10}.1")
        for number, letter in enumerate("ab")
    ]
    try:
        for number, host in enumerate(found):
            connect(host, number)
    except subprocess.CalledProcessError as error:
        disconnect(found)
        pytest.skip(f"no right to make network namespaces here: {error.stderr.decode()[:100]}")
    yield found
    disconnect(found)


def disconnect(hosts: list[Host]) -> None:
    for host in hosts:
        with suppress(subprocess.CalledProcessError):
            ip("netns", "delete", host.name)  # its cables go with it


def worker_on(system: System, host: Host, beat_file: str) -> Process:
    database = make_url(system.environment["IYU_DATABASE_URL"]).set(host=host.database)
    command = ["ip", "netns", "exec", host.name, sys.executable, "-m",
               "tests.acceptance.faults.accidents", "slow"]  # fmt: skip
    environment = system.environment | {
        "IYU_BROKER_URL": system.redis.url.replace("127.0.0.1", host.redis),
        "IYU_DATABASE_URL": database.render_as_string(hide_password=False),
        "IYU_HEARTBEAT_FILE": beat_file,
    }
    return system.start(command, environment)


def begun(system: System, worker: Process) -> int:
    """Chunks that a worker has begun, as its heartbeat says."""
    query = select(heartbeats.c.begun).where(heartbeats.c.pid == worker.pid)
    with reading(system.engine) as connection:
        return int(connection.execute(query).scalar() or 0)


def test_a_host_that_is_cut_off_loses_nothing_and_works_again(
    on_postgres: System, hosts: list[Host], tmp_path
):
    system = on_postgres
    port = make_url(system.environment["IYU_DATABASE_URL"]).port
    if port is None:
        skip_without("PostgreSQL on a port")
    for host in hosts:
        for address, target in ((host.redis, system.redis.port), (host.database, port)):
            module = "tests.acceptance.faults.forwarder"
            command = [sys.executable, "-m", module, address, str(target)]
            system.start(command, system.environment)
    system.beat()
    workers = [worker_on(system, host, str(tmp_path / host.name)) for host in hosts]
    for worker in workers:
        system.wait_until_loaded(worker)
    cut_off = hosts[0]
    submitted = 0
    for name, sides in (("Redis", "r"), ("the database", "d"), ("both", "rd")):
        before = system.done()
        system.submit(made(REVIEWS, first=submitted))
        submitted += REVIEWS
        poll(GO_ON_SECONDS, lambda: system.done() > before)  # noqa: B023
        fault = time.monotonic()
        cut_off.cut(*sides)
        poll(CUT_SECONDS + 10, lambda: time.monotonic() - fault > CUT_SECONDS)  # noqa: B023
        cut_off.mend(*sides)
        what = f"16 a host of two cut off from {name} for {CUT_SECONDS:g} s"
        system.judge(what, fault, within=GO_ON_SECONDS)
        assert all(worker.running for worker in workers)
    last = begun(system, workers[0])
    system.submit(made(REVIEWS, first=submitted))
    poll(GO_ON_SECONDS, lambda: begun(system, workers[0]) > last)  # it is no silent worker now
    system.settle(GO_ON_SECONDS)
