"""Scenario 2: SIGKILL after the database commit, before the acknowledgement."""

import time
from pathlib import Path

import pytest

from tests.acceptance.faults.system import System
from tests.harness.polling import poll
from tests.harness.reviews import made

pytestmark = pytest.mark.acceptance


def test_killed_between_commit_and_acknowledgement(on_sqlite: System, tmp_path: Path):
    system = on_sqlite
    flag = tmp_path / "died"
    system.submit(made(1_000))
    first = system.worker(accident="death_after_commit", IYU_TEST_FLAG=str(flag))
    first.wait(60)
    fault = time.monotonic()
    assert flag.exists()
    assert system.done() == 256

    second = system.worker()
    system.judge("2 killed after commit, before acknowledgement", fault)
    poll(30, lambda: "it is finished already" in second.output())
