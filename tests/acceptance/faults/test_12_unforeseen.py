"""Scenario 12: what nobody foresaw, and a model that fails on every review."""

import time

import pytest

from iyu.schemas.contract.message import Queue
from tests.acceptance.faults.accidents import MARKER
from tests.acceptance.faults.oracle import SOURCE
from tests.acceptance.faults.system import System
from tests.acceptance.faults.test_07_broken import message
from tests.harness.polling import poll
from tests.harness.reviews import made

pytestmark = pytest.mark.acceptance

MODEL_BROKEN = 72


def test_as_many_poisoned_messages_as_processes_starve_no_queue(system: System):
    """The first message comes from the ledger; the row of the second one cannot be written."""
    worker = system.worker(accident="unforeseen_error")
    began = time.monotonic()
    poisoned = {f"bad-{number}": f"{MARKER} 글 {number}" for number in range(2)}
    with system.redis.client() as client:
        for review_id, text in poisoned.items():
            client.lpush(Queue.LIVE, message([[review_id, text]]))
    good = made(300)
    system.submit(good)
    poll(30, lambda: system.done() == len(good))
    system.accepted.update(poisoned)
    system.judge("12 errors nobody foresaw", began, dead=poisoned)
    assert worker.running
    assert MARKER not in worker.output()
    assert "Traceback" not in worker.output()


def test_a_broken_model_ends_the_worker_and_another_goes_on(on_sqlite: System):
    began = time.monotonic()
    on_sqlite.submit(made(2_000))
    worker = on_sqlite.start_accident("broken_model")
    assert worker.wait(180) == MODEL_BROKEN
    assert "the model failed on 3 chunks in a row, and on a harmless text" in worker.output()
    assert "Traceback" not in worker.output()
    assert on_sqlite.pending() == 2_000
    on_sqlite.beat()
    on_sqlite.worker()
    on_sqlite.judge("12b a model that fails on every review", began, within=150)
    assert SOURCE not in worker.output()
