"""A worker that cannot work says so and ends, instead of looking alive."""

import time

import pytest

from tests.acceptance.faults.system import System
from tests.harness.polling import poll
from tests.harness.reviews import made
from tests.harness.services import run_iyu

pytestmark = pytest.mark.acceptance

SILENT = 70


def test_a_model_that_does_not_load_ends_the_worker(on_sqlite: System):
    on_sqlite.submit(made(10))
    worker = on_sqlite.start_accident("no_model")
    assert worker.wait(90) == 1
    assert "the model cannot be loaded: RuntimeError" in worker.output()
    assert on_sqlite.pending() == 10


def test_a_silent_worker_ends(on_sqlite: System):
    began = time.monotonic()
    worker = on_sqlite.worker(accident="silence", IYU_SILENCE_LIMIT="5")
    on_sqlite.submit(made(10))
    assert worker.wait(90) == SILENT
    assert "its supervisor should start it again" in worker.output()
    on_sqlite.worker()
    on_sqlite.judge("11 a worker gone silent ends; another one goes on", began)


def test_an_idle_worker_lives_on_and_its_heart_beats(on_sqlite: System, tmp_path):
    environment = on_sqlite.environment

    def live(*options: str) -> int:
        return run_iyu("health", *options, environment=environment, cwd=tmp_path).returncode

    assert live("--live") == 1
    worker = on_sqlite.worker(IYU_SILENCE_LIMIT="3")
    idle_since = time.monotonic()
    assert live() == live("--live") == 0
    poll(30, lambda: time.monotonic() - idle_since > 6)
    assert worker.running

    on_sqlite.redis.kill()
    assert live() == 3
    assert live("--live") == 0
