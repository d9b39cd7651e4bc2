"""A reader of the feed that follows, while two processes write: it gets every review, each once.

One run of this is in tests/acceptance/test_shop.py. A reader that asked for `scored_at > last`
missed a whole chunk in one run of three. `IYU_SOAK_RUNS` (default 20) says how many runs there are.
"""

import json
import os

import pytest

from iyu.producer import Producer, Queue
from tests.acceptance.faults.system import System
from tests.harness.polling import poll
from tests.harness.reviews import made
from tests.harness.services import iyu_command

RUNS = int(os.environ.get("IYU_SOAK_RUNS", "20"))
REVIEWS = 12_000
#: Seconds until a run's reviews are scored and read, on a machine with other work.
RUN_SECONDS = 300.0
pytestmark = [
    pytest.mark.soak,
    pytest.mark.acceptance,
    pytest.mark.timeout(RUNS * RUN_SECONDS + 300),
]


def test_every_run_reads_every_review_once(on_postgres: System):
    system = on_postgres
    worker = system.start(iyu_command("worker", "--concurrency", "2"), system.environment)
    system.wait_until_loaded(worker, times=2)
    system.beat()
    texts = made(1_000)
    for run in range(RUNS):
        name = f"run-{run}"
        reader = system.start(
            iyu_command("results", "--consumer", name, "--source", name, "--follow"),
            system.environment,
        )
        with Producer(system.settings(), source=name, queue=Queue.BULK) as producer:
            producer.submit_many((n, f"{n}번째 {texts[n % 1_000][1]}") for n in range(REVIEWS))
        poll(RUN_SECONDS, lambda reader=reader: reader.output().count("\n") >= REVIEWS, every=0.5)
        lines = [json.loads(line) for line in reader.output().splitlines()]
        assert sorted(int(line["review_id"]) for line in lines) == list(range(REVIEWS)), name
        assert len({line["event_id"] for line in lines}) == REVIEWS, name
        reader.kill_group()
