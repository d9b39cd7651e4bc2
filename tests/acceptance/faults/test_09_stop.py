"""Scenario 9: TERM during work; TERM, then KILL."""

import signal
import time

import pytest

from tests.acceptance.faults.system import System
from tests.harness.polling import poll
from tests.harness.reviews import made

pytestmark = pytest.mark.acceptance


def test_term_finishes_what_is_held(on_postgres: System):
    system = on_postgres
    system.submit(made(4_000))
    first = system.worker(accident="slow")
    poll(60, system.done)
    fault = time.monotonic()
    first.signal(signal.SIGTERM)
    assert first.wait(60) == 0
    stopped = system.done()
    assert system.in_broker()["unacked"] == 0
    assert 0 < stopped < 4_000
    assert stopped % 256 == 0

    system.worker()
    system.judge("9 TERM during work", fault)


def test_term_then_kill(on_sqlite: System):
    system = on_sqlite
    system.submit(made(4_000))
    first = system.worker(accident="slow")
    poll(60, system.done)
    fault = time.monotonic()
    first.signal(signal.SIGTERM)
    poll(30, lambda: "Warm shutdown" in first.output())
    first.kill_group()

    system.worker()
    system.judge("9 TERM, then KILL", fault)
