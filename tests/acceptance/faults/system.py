"""Redis, a database, workers, the sweeper and a producer, and what is done to them."""

import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
from sqlalchemy import Engine, func, select

from iyu.producer.producer import Producer
from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.settings import Settings
from iyu.schemas.erasure.forget_all import forget_all
from iyu.schemas.ledger import progress
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading
from tests.acceptance.faults.oracle import SOURCE, Oracle, Verdict
from tests.harness.polling import poll
from tests.harness.services import Process, RedisServer, iyu_command

#: A quick model, and small times: a test need not wait for what takes minutes in earnest.
SETTINGS = {
    "IYU_MODEL": "source",
    "IYU_VISIBILITY_TIMEOUT": "10",
    "IYU_TASK_TIME_LIMIT": "8",
    "IYU_SWEEP_EVERY": "1",
    "IYU_STALE_AFTER": "2",
    "IYU_CHUNK_SIZE": "256",
}
READY_SECONDS = 240.0
#: Seconds for which nothing may be pending before all counts as done.
QUIET_SECONDS = 0.5


@dataclass
class System:
    """One installation of its own."""

    redis: RedisServer
    engine: Engine
    environment: dict[str, str]
    oracle: Oracle
    report: Callable[..., None]
    start: Callable[..., Process]
    accepted: dict[str, str] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)  # submitted more than once

    def worker(self, *, accident: str = "", **variables: str) -> Process:
        """Start a worker and wait until its model is loaded; `accident`: see accidents.py."""
        environment = self.environment | variables
        if accident:
            worker = self.start_accident(accident, **variables)
        else:
            worker = self.start(iyu_command("worker", "--concurrency", "1"), environment)
        self.wait_until_loaded(worker)
        return worker

    def start_accident(self, accident: str, **variables: str) -> Process:
        """Start a worker with an accident built in."""
        command = [sys.executable, "-m", "tests.acceptance.faults.accidents", accident]
        return self.start(command, self.environment | variables)

    def wait_until_loaded(self, worker: Process, times: int = 1) -> None:
        """Wait until a child has loaded its model `times` times."""

        def loaded() -> bool:
            assert worker.running, worker.output()[-4000:]
            return worker.output().count("is ready") >= times and " ready." in worker.output()

        poll(READY_SECONDS, loaded)

    def beat(self) -> Process:
        """Start the sweeper's clock."""
        return self.start(iyu_command("beat"), self.environment)

    def settings(self, **overrides: Any) -> Settings:
        """This installation's settings."""
        return Settings(
            broker_url=self.environment["IYU_BROKER_URL"],
            redis_master=self.environment.get("IYU_REDIS_MASTER"),
            database_url=self.environment["IYU_DATABASE_URL"],
            visibility_timeout=10,
            task_time_limit=8,
            chunk_size=256,
            **overrides,
        )

    def submit(
        self, reviews: Iterable[tuple[str, str]], *, queue: Queue = Queue.BULK, **options: Any
    ) -> None:
        """Hand reviews over through the producer, and remember them."""
        reviews = list(reviews)
        with Producer(self.settings(), source=SOURCE, queue=queue, **options) as producer:
            producer.submit_many(reviews)
        self.changed.update(key for key, _ in reviews if key in self.accepted)
        self.accepted.update(reviews)

    def forget(self, review_ids: Collection[str]) -> None:
        """Erase reviews, wherever they are on their way."""
        forget_all(self.engine, SOURCE, review_ids)
        self.erased.update(review_ids)
        for review_id in review_ids:
            del self.accepted[review_id]

    def serves_within(self, seconds: float, review: tuple[str, str]) -> float:
        """Submit a live review; return the seconds until it is scored. Fails after `seconds`."""
        began = time.monotonic()
        self.submit([review], queue=Queue.LIVE)
        poll(seconds, lambda: self._is_scored(review[0]))
        return time.monotonic() - began

    def _is_scored(self, review_id: str) -> bool:
        rows = tables.predictions.c
        query = select(rows.review_id).where(rows.source == SOURCE, rows.review_id == review_id)
        with suppress(IyuError), reading(self.engine) as connection:
            return connection.execute(query).first() is not None
        return False

    def pending(self) -> int:
        """Reviews that are not finished."""
        with reading(self.engine) as connection:
            return progress.pending(connection)

    def done(self) -> int:
        """Reviews scored so far."""
        with reading(self.engine) as connection:
            return connection.execute(
                select(func.count()).select_from(tables.predictions)
            ).scalar_one()

    def in_broker(self) -> dict[str, int]:
        """Messages the broker holds: waiting, and not acknowledged."""
        with self.redis.client() as client:
            return {
                "waiting": sum(client.llen(name) for name in Queue),
                "unacked": client.hlen("unacked"),
                "index": client.zcard("unacked_index"),
            }

    def settle(self, seconds: float = 90) -> float:
        """Wait until nothing is pending and the broker is empty; return since when (monotonic).

        One look is not enough: between pop and `unacked` a message is nowhere to be seen.
        """

        def settled() -> bool:
            with suppress(IyuError):
                return not self.pending() and not any(self.in_broker().values())
            return False

        deadline, since = time.monotonic() + seconds, None
        while since is None or time.monotonic() - since < QUIET_SECONDS:
            if not settled():
                since = None
            elif since is None:
                since = time.monotonic()
            assert time.monotonic() < deadline, f"{self.pending()} pending, {self.in_broker()}"
            time.sleep(0.05)
        return since

    def judge(
        self,
        scenario: str,
        fault: float,
        *,
        within: float = 90,
        dead: Mapping[str, str] | None = None,
    ) -> Verdict:
        """Wait until all is well, check everything, and put a line into the report.

        fault: when it happened (monotonic). within: seconds from now. dead: reviews that have to
        be dead letters, no more and no fewer.
        """
        seconds = self.settle(within) - fault
        verdict = self.oracle.judge(
            self.engine, self.accepted, erased=self.erased, changed=self.changed
        )
        self.report(scenario, self.engine.dialect.name, verdict, seconds)
        verdict.assert_clean()
        assert verdict.dead == (dead or {}).keys()
        return verdict


def child_of(worker: Process) -> psutil.Process:
    """Return the process in which a worker scores."""

    def children() -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(worker.pid).children()
        return []

    return poll(READY_SECONDS, children)[-1]
