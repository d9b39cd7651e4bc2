"""A hundred thousand mutated messages through the real guard, tasks and both databases."""

import logging
import os

import pytest
from sqlalchemy import Engine

from iyu.worker.service import celery_tasks, failures
from tests.harness.fakes import FakeScorer
from tests.harness.fuzzing import fuzz_round
from tests.harness.guarded_worker import GuardedWorker

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

ROUNDS = int(os.environ.get("IYU_SOAK_ROUNDS", "25"))
CASES = 2_000  # a round and database


@pytest.mark.parametrize("number", range(1, ROUNDS + 1))
def test_no_message_stops_a_worker(
    engine: Engine, number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.CRITICAL, logger="iyu.worker")  # a line a message would fill memory
    worker = GuardedWorker(engine, FakeScorer("abc"))
    monkeypatch.setattr(failures.time, "sleep", worker.pauses.append)
    monkeypatch.setattr(celery_tasks, "sweep", lambda *_: None)
    fuzz_round(worker, number, CASES)
    assert sum(worker.outcomes.values()) >= CASES
