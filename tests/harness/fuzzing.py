"""Rounds of mutated messages through the real guard, tasks and database."""

import json
import uuid
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import select

from iyu.schemas.contract.message import TASK, Queue
from iyu.schemas.ledger import progress
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading
from tests.harness.guarded_worker import GuardedWorker
from tests.harness.mutations import NOON, SOURCE, make_element


def good_message(review_id: str, text: str = "좋은 글") -> bytes:
    """A message as any publisher may send it."""
    chunk_id = str(uuid.uuid4())
    body = [[chunk_id, [[review_id, text]]], {"source": SOURCE, "submitted_at": NOON}, None]
    envelope = {
        "body": json.dumps(body),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": TASK, "id": chunk_id},
        "properties": {"delivery_tag": "1"},
    }
    return json.dumps(envelope).encode()


def fuzz_round(worker: GuardedWorker, number: int, cases: int) -> None:
    """Deliver mutated messages; then a good one is scored, and nothing is pending.

    A message that only the floor could end counts as a finding: each cause has to be known.
    """

    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=(Phase.generate,),  # a seed names the message; there is nothing to shrink
        suppress_health_check=list(HealthCheck),
    )
    @seed(number)
    @given(st.integers(0, 2**64 - 1))
    def deliver(message_seed: int) -> None:
        random = Random(message_seed)
        worker.serve(make_element(random), random.choice([*Queue]))
        assert worker.outcomes["handed back"] == 0
        assert not worker.pauses, "only the floor ended it"

    deliver()
    worker.serve(good_message(f"good {number}"), Queue.LIVE)
    with reading(worker.engine) as connection:
        query = select(tables.reviews.c.text).where(tables.reviews.c.review_id == f"good {number}")
        assert connection.execute(query).scalar_one() == "좋은 글"
        assert progress.pending(connection) == 0
