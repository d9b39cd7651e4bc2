"""Random faults, one after the other, over live, bulk and rescored reviews on PostgreSQL.

`IYU_SOAK_MINUTES` (default 4) says for how long; `IYU_SOAK_SEED` repeats a run's choices.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from iyu.schemas.contract.message import Queue
from iyu.schemas.sql.engine import writing
from tests.acceptance.faults.proxy import Proxy
from tests.acceptance.faults.system import System, child_of
from tests.harness.polling import poll
from tests.harness.postgres_server import PostgresServer
from tests.harness.refusals import demoted, without_replicas
from tests.harness.reviews import made
from tests.harness.services import Process, iyu_command

MINUTES = float(os.environ.get("IYU_SOAK_MINUTES", "4"))
SEED = int(os.environ.get("IYU_SOAK_SEED", "13"))
pytestmark = [pytest.mark.soak, pytest.mark.acceptance, pytest.mark.timeout(60 * MINUTES + 900)]

#: Reviews accepted in a round, and erased after it.
BULK, LIVE, FORGOTTEN = 1_500, 40, 60
#: Seconds within which a new review is scored after a fault; a new process loads TensorFlow first.
SERVED_SECONDS = 150
#: Stands in every review, and must stand in no log.
SECRET = "비밀문장"


@dataclass
class Soak:
    """An installation under random faults."""

    system: System
    postgres: PostgresServer
    proxy: Proxy
    chance: random.Random
    worker: Process = field(init=False)
    rescorer: Process = field(init=False)
    logs: list[Process] = field(default_factory=list)
    submitted: int = 0

    def __post_init__(self) -> None:
        redis = self.system.redis
        self._through_proxy = redis.url.replace(f":{redis.port}/", f":{self.proxy.port}/")
        self.logs.append(self.system.beat())
        self._start_worker()
        self._start_rescorer()

    def hand_over(self) -> None:
        """Submit new reviews to both queues, and change the texts of some that were accepted."""
        known = sorted(self.system.accepted)
        self.system.submit(self._new(BULK))
        self.system.submit(self._new(LIVE), queue=Queue.LIVE)
        if known:
            again = self.chance.sample(known, min(len(known), LIVE))
            texts = self._new(len(again))
            self.system.submit([(key, new) for key, (_, new) in zip(again, texts, strict=True)])

    def forget_some(self) -> None:
        """Erase reviews, whether they are scored or still on their way."""
        self.system.forget(self.chance.sample(sorted(self.system.accepted), FORGOTTEN))

    def serves_again(self) -> float:
        """Return the seconds until a new review was scored; dead processes are started again."""
        if not self.worker.running:
            self._start_worker()
        if not self.rescorer.running:
            self._start_rescorer()
        return self.system.serves_within(SERVED_SECONDS, self._new(1)[0])

    def kill_worker(self) -> None:
        """The worker dies, and its supervisor starts another one."""
        self.worker.signal(signal.SIGKILL)
        self.worker.wait(10)

    def kill_child(self) -> None:
        """A process that scores dies."""
        child_of(self.worker).kill()

    def stop_child(self) -> None:
        """A process that scores freezes for a while, wherever it is."""
        child = child_of(self.worker)
        child.suspend()
        self._pause(2)
        child.resume()

    def kill_rescorer(self) -> None:
        """The worker that scores stored reviews again dies."""
        self.rescorer.signal(signal.SIGKILL)
        self.rescorer.wait(10)

    def kill_redis(self) -> None:
        """Redis dies and comes back with its file, or empty."""
        self.system.redis.kill()
        self._pause(1)
        self.system.redis.restart(empty=self.chance.random() < 0.5)

    def restart_postgres(self) -> None:
        """The database is down for a while."""
        self.postgres.stop()
        self._pause(2)
        self.postgres.start()

    def freeze_connections(self) -> None:
        """The worker's connections to Redis are half-open."""
        self.proxy.freeze()

    def demote_redis(self) -> None:
        """Redis is a read-only replica for a while."""
        with demoted(self.system.redis):
            self._pause(3)

    def lose_replicas(self) -> None:
        """Redis refuses to write for a while."""
        with without_replicas(self.system.redis):
            self._pause(3)

    def lock_table(self) -> None:
        """Somebody locks a table for longer than a worker waits for a lock."""
        with writing(self.system.engine) as connection:
            connection.execute(text("LOCK TABLE predictions IN ACCESS EXCLUSIVE MODE"))
            self._pause(4)

    def faults(self) -> list[Callable[[], None]]:
        """Return every fault there is."""
        return [
            self.kill_worker, self.kill_child, self.stop_child, self.kill_rescorer,
            self.kill_redis, self.restart_postgres, self.freeze_connections, self.demote_redis,
            self.lose_replicas, self.lock_table,
        ]  # fmt: skip

    def _new(self, count: int) -> list[tuple[str, str]]:
        new = made(count, first=self.submitted)
        self.submitted += count
        return [(key, f"{words} {SECRET}") for key, words in new]

    def _start_worker(self) -> None:
        self.worker = self.system.worker(IYU_BROKER_URL=self._through_proxy)
        self.logs.append(self.worker)

    def _start_rescorer(self) -> None:
        command = iyu_command("worker", "--concurrency", "1", "--rescore", "--model", "wide")
        heartbeat = self.system.environment["IYU_HEARTBEAT_FILE"] + "-rescore"
        environment = self.system.environment | {"IYU_HEARTBEAT_FILE": heartbeat}
        self.rescorer = self.system.start(command, environment)
        self.logs.append(self.rescorer)

    def _pause(self, at_most: float) -> None:
        until = time.monotonic() + self.chance.uniform(at_most / 2, at_most)
        poll(at_most + 1, lambda: time.monotonic() > until)


def test_random_faults(on_postgres: System, postgres: PostgresServer):
    system, chance = on_postgres, random.Random(SEED)
    done: list[str] = []
    slowest = 0.0
    with Proxy(system.redis.port) as proxy:
        soak = Soak(system, postgres, proxy, chance)
        campaign = system.start(
            iyu_command("rescore", "--model", "wide", "--wait"), system.environment
        )
        end = time.monotonic() + 60 * MINUTES
        while time.monotonic() < end:
            soak.hand_over()
            poll(SERVED_SECONDS, system.done)
            fault = chance.choice(soak.faults())
            fault()
            done.append(fault.__name__)
            if chance.random() < 0.5:
                soak.forget_some()
            slowest = max(slowest, soak.serves_again())
            if not campaign.running:  # what came in since is left for another one
                campaign = system.start(
                    iyu_command("rescore", "--model", "wide", "--wait"), system.environment
                )
        last = time.monotonic()
        soak.serves_again()
        name = f"soak, seed {SEED}, {len(done)} faults, served again within {slowest:.0f} s"
        system.judge(name, last, within=400)
    output = "".join(process.output() for process in (*soak.logs, campaign))
    assert SECRET not in output
    assert "killed its process" not in output
    assert system.erased
