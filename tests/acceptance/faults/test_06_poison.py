"""Scenario 6: one review of 256 kills its process."""

import time

import pytest

from tests.acceptance.faults.accidents import MARKER
from tests.acceptance.faults.system import System
from tests.harness.reviews import made

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]

#: Three times with its chunk, twice alone.
DEATHS = 5


def test_one_deadly_review_among_256(on_postgres: System):
    system = on_postgres
    system.beat()
    bad = ("deadly", f"이 {MARKER} 같은 영화")
    good = made(255)
    system.submit([*good[:100], bad, *good[100:]])
    fault = time.monotonic()
    worker = system.worker(accident="deadly_review")
    system.judge(
        "6 a review that kills its process, in a chunk of 256", fault, dead=dict([bad]), within=300
    )
    assert system.done() == 255
    assert worker.output().count("is ready") == DEATHS + 1
    assert MARKER not in worker.output()
