"""Scenario 8: Redis at its maxmemory."""

import time

import pytest
from sqlalchemy import select

from iyu.schemas.contract.errors import BrokerFull
from iyu.schemas.contract.message import unpack
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading
from tests.acceptance.faults.system import System
from tests.harness.reviews import made

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]


def test_redis_is_full(on_postgres: System):
    system = on_postgres
    with system.redis.client() as client:
        used = client.info("memory")["used_memory"]
        client.config_set("maxmemory", used + 600_000)
    with pytest.raises(BrokerFull, match="maxmemory"):
        system.submit(made(40_000))
    with reading(system.engine) as connection:
        payloads = connection.scalars(select(tables.chunks.c.payload)).all()
    accepted = [review for payload in payloads for review in unpack(payload)]
    assert 0 < len(accepted) < 40_000
    system.accepted.update((review.review_id, review.text) for review in accepted)

    fault = time.monotonic()
    fill(system)
    system.beat()
    worker = system.worker()
    system.judge("8 Redis at its maxmemory", fault, within=180)
    assert worker.running
    assert system.done() == len(accepted)


def fill(system: System) -> None:
    """Leave no room at all, not even for the note of what is being worked on."""
    with system.redis.client() as client:
        used = client.info("memory")["used_memory"]
        client.config_set("maxmemory", used - 100_000)
