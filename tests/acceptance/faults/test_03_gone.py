"""Scenario 3: a message is gone between the pop and `unacked`."""

import time

import pytest

from iyu.schemas.contract.message import Queue
from tests.acceptance.faults.system import System
from tests.harness.reviews import made

pytestmark = pytest.mark.acceptance


def test_messages_that_vanish_are_published_again(system: System):
    system.beat()
    system.submit(made(3_000))
    with system.redis.client() as client:
        vanished = [client.rpop(Queue.BULK) for _ in range(3)]
        vanished.append(client.lpop(Queue.BULK))
    assert all(vanished)
    fault = time.monotonic()
    worker = system.worker()
    system.judge("3 messages vanish between pop and `unacked`", fault)
    assert "chunks of reviews.bulk were lost: published again" in worker.output()


def test_what_merely_waits_is_not_published_again(on_sqlite: System):
    """Without a worker nothing moves, and yet nothing is lost: the queue stays as it is."""
    system = on_sqlite
    system.submit(made(3_000))
    worker = system.worker(accident="slow", IYU_STALE_AFTER="0.5", IYU_SWEEP_EVERY="0.5")
    system.beat()
    fault = time.monotonic()
    system.judge("3b a backlog that merely waits", fault)
    assert "published again" not in worker.output()
