"""A few hundred mutated messages; `make soak` has a hundred thousand."""

import pytest
from sqlalchemy import Engine

from iyu.worker.service import celery_tasks, failures
from tests.harness.fakes import FakeScorer
from tests.harness.fuzzing import fuzz_round
from tests.harness.guarded_worker import GuardedWorker


def test_no_message_stops_a_worker(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    worker = GuardedWorker(engine, FakeScorer("abc"))
    monkeypatch.setattr(failures.time, "sleep", worker.pauses.append)
    monkeypatch.setattr(celery_tasks, "sweep", lambda *_: None)
    fuzz_round(worker, number=0, cases=300)
    assert worker.outcomes["worker.tasks.score_chunk"] > 50
    assert worker.outcomes["worker.tasks.bury_message"] > 50
