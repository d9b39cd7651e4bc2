"""Scenario 1: SIGKILL of the worker and of its children, ten times at random moments."""

import random
import signal
import time

import psutil
import pytest

from tests.acceptance.faults.system import System, child_of
from tests.harness.polling import poll
from tests.harness.reviews import made
from tests.harness.services import Process

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

KILLS = 10
SEED = 20_000


def test_ten_kills_at_random_moments(on_postgres: System):
    system, chance = on_postgres, random.Random(SEED)
    system.beat()
    system.submit(made(20_000))
    worker = system.worker(accident="slow")
    began = time.monotonic()
    children: list[psutil.Process] = []
    for number in range(KILLS):
        wait_until_in_the_middle(system, chance.uniform(0.1, 0.8))
        children.append(child_of(worker))
        if number % 2:
            worker.signal(signal.SIGKILL)
            worker.wait(10)
            worker = system.worker(accident="slow")
        else:
            loaded = worker.output().count("is ready")
            children[-1].kill()
            system.wait_until_loaded(worker, loaded + 1)
    last_kill = time.monotonic()
    assert last_kill > began
    system.judge(f"1 worker or child killed {KILLS} times", last_kill, within=180)
    # What a killed worker leaves behind ends by itself.
    poll(60, lambda: not any(child.is_running() for child in children))


def wait_until_in_the_middle(system: System, seconds: float) -> None:
    """Wait until reviews were scored since now, and then for a random moment."""
    before, since = system.done(), []

    def reached() -> bool:
        if not since and system.done() > before:
            since.append(time.monotonic())
        return bool(since) and time.monotonic() - since[0] > seconds

    poll(120, reached, every=0.01)
    assert system.pending(), "everything was scored before the last kill"


def test_a_review_that_hangs_is_killed_and_found(on_sqlite: System, start):
    system = on_sqlite
    system.beat()
    worker = system.worker(accident="hanging_review", IYU_MAX_ATTEMPTS="1")
    bad = ("hangs", "이건 폭탄이다")
    system.submit([*made(15), bad])
    fault = time.monotonic()
    assert isinstance(worker, Process)
    system.judge("1b a review that never ends", fault, dead=dict([bad]), within=240)
