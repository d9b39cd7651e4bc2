"""Scenario 14: Redis answers and refuses commands; the worker goes on when it is well again."""

import time

import pytest

from tests.acceptance.faults.system import System
from tests.harness.polling import poll
from tests.harness.refusals import REFUSALS, address_of_user
from tests.harness.reviews import made

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]

#: Seconds within which reviews are scored again after a refusal has ended.
GO_ON_SECONDS = 30
SECRET = "비밀문장"


def test_redis_refuses_commands(on_sqlite: System):
    system = on_sqlite
    worker = system.worker(IYU_BROKER_URL=address_of_user(system.redis))
    system.beat()
    for number, (name, (refusing, words)) in enumerate(REFUSALS.items()):
        with refusing(system.redis):
            poll(60, lambda words=words: words in worker.output())
        system.submit([(key, f"{text} {SECRET}") for key, text in made(300, first=300 * number)])
        well = time.monotonic()
        before = system.done()
        poll(GO_ON_SECONDS, lambda before=before: system.done() > before)
        assert worker.running, name
    system.judge("14 Redis refuses: " + ", ".join(REFUSALS), well)
    assert SECRET not in worker.output()
    assert "Traceback" not in worker.output()
