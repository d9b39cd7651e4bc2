"""A model that fails on every review buries nothing; reviews that fail do not stop a worker."""

import uuid
from collections.abc import Sequence

import pytest
from sqlalchemy import Engine, select

from iyu.schemas.contract.message import TASK, Queue
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading
from iyu.worker.failing_model import MODEL_BROKEN, MODEL_FAILURES, ModelCheck
from iyu.worker.scoring import Prediction
from iyu.worker.service import failures
from tests.harness.fakes import FakeScorer
from tests.harness.fuzzing import good_message
from tests.harness.guarded_worker import GuardedWorker


class BrokenScorer(FakeScorer):
    """Fails on everything while it is broken."""

    broken = True

    def score(self, texts: Sequence[str]) -> list[Prediction]:
        if self.broken:
            raise OSError(28, "No space left on device")
        return super().score(texts)


@pytest.fixture
def worker(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> GuardedWorker:
    worker = GuardedWorker(engine, BrokenScorer("abc", by_text={"나쁜 글": ValueError()}))
    monkeypatch.setattr(failures.time, "sleep", worker.pauses.append)
    return worker


def test_a_broken_model_ends_the_worker_and_buries_nothing(worker: GuardedWorker):
    stopped: list[int] = []
    worker.runtime.model_check = ModelCheck(stopped.append)
    messages = [good_message(str(number)) for number in range(MODEL_FAILURES)]
    for number, message in enumerate(messages):
        assert stopped == []
        assert not worker.deliver(message, Queue.BULK), number
    assert stopped == [MODEL_BROKEN]
    assert len(worker.pauses) == MODEL_FAILURES
    with reading(worker.engine) as connection:
        assert connection.execute(select(tables.dead_letters)).all() == []
        assert {row.attempts for row in connection.execute(select(tables.chunks))} == {0}
    worker.scorer.broken = False
    for message in messages:
        worker.serve(message, Queue.BULK)
    with reading(worker.engine) as connection:
        assert len(connection.execute(select(tables.predictions)).all()) == MODEL_FAILURES


def test_a_sender_of_reviews_that_fail_stops_nobody(worker: GuardedWorker):
    stopped: list[int] = []
    worker.runtime.model_check = ModelCheck(stopped.append)
    worker.scorer.broken = False
    for number in range(2 * MODEL_FAILURES):
        worker.serve(good_message(str(number), "나쁜 글"), Queue.LIVE)
    worker.serve(good_message(str(uuid.uuid4())), Queue.LIVE)
    assert stopped == []
    assert worker.outcomes == {TASK: 2 * MODEL_FAILURES + 1}
    with reading(worker.engine) as connection:
        reasons = connection.scalars(select(tables.dead_letters.c.reason)).all()
    assert reasons == ["scoring-failed"] * 2 * MODEL_FAILURES


def test_failures_that_differ_do_not_add_up():
    stopped: list[int] = []
    check = ModelCheck(stopped.append)
    for kind in ("OSError", "OSError", "ValueError", "OSError", "OSError"):
        check._count(kind)
    assert stopped == []
    check._count("OSError")
    assert stopped == [MODEL_BROKEN]
