"""Mutated messages through a real Redis and a real worker: it serves good ones all the while."""

from collections.abc import Callable
from random import Random

import pytest
from sqlalchemy import select

from iyu.schemas.contract.message import Queue
from iyu.schemas.ledger import progress
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import connected, reading, upgrade
from tests.harness.fuzzing import good_message
from tests.harness.mutations import make_element
from tests.harness.polling import poll
from tests.harness.services import Process, RedisServer

pytestmark = [pytest.mark.soak, pytest.mark.acceptance, pytest.mark.timeout(1800)]

ROUNDS = 5
CASES = 400  # a round and queue
#: Seconds until a good message behind a round's messages is scored.
DEADLINE = 120.0


def test_good_messages_are_served_after_each_round(
    redis_server: RedisServer,
    environment: dict[str, str],
    start_worker: Callable[..., Process],
):
    database = environment["IYU_DATABASE_URL"]
    with connected(database) as engine:
        upgrade(engine)
        worker = start_worker(environment | {"IYU_MODEL": "source"})

        def is_scored(review_id: str) -> bool:
            with reading(engine) as connection:
                found = select(tables.predictions.c.review_id)
                query = found.where(tables.predictions.c.review_id == review_id)
                return connection.execute(query).first() is not None

        with redis_server.client() as client:
            for number in range(ROUNDS):
                for queue in Queue:
                    random = Random(f"{number} {queue}")
                    for _ in range(CASES):
                        client.lpush(queue, make_element(random))
                    client.lpush(queue, good_message(f"good {number} {queue}"))
                for queue in Queue:
                    poll(DEADLINE, lambda good=f"good {number} {queue}": is_scored(good))
                assert worker.running
            poll(DEADLINE, lambda: not any(client.llen(queue) for queue in Queue))
            poll(DEADLINE, lambda: not client.hlen("unacked"))
        with reading(engine) as connection:
            assert progress.pending(connection) == 0
            reasons = set(connection.scalars(select(tables.dead_letters.c.reason)))
    assert reasons.isdisjoint({"unforeseen-error", "store-failed", "killed-worker"})
    assert "bad-message" in reasons
    assert "Traceback" not in worker.output()
