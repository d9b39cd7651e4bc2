"""Figures of the broker: what waits in each queue, and what workers hold."""

import time
from collections.abc import Collection
from contextlib import closing
from typing import Any, Final

from iyu.console.metrics.figures import BrokerFigures
from iyu.schemas.broker.broker_errors import raising_broker_errors
from iyu.schemas.broker.redis_address import redis_client
from iyu.schemas.broker.redis_contents import UNACKNOWLEDGED, lists_of
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger.totals import queue_group

#: kombu's sorted set: when each unacknowledged message was taken, in seconds since 1970.
UNACKNOWLEDGED_INDEX: Final = "unacked_index"
#: Where beat asks a worker to sweep.
SWEEP_QUEUE: Final = "iyu.sweep"


def read_broker(settings: Settings, rescore_queues: Collection[str]) -> BrokerFigures:
    """Read them in one round trip. Raises BrokerUnavailable.

    rescore_queues: queues of models that score stored reviews again; they are shown as one.
    """
    queues = (*(queue.value for queue in Queue), SWEEP_QUEUE, *rescore_queues)
    with raising_broker_errors(settings.broker), closing(redis_client(settings)) as client:
        questions = client.pipeline(transaction=False)
        for queue in queues:
            for name in lists_of(queue):
                questions.llen(name)
        questions.hlen(UNACKNOWLEDGED)
        questions.zrange(UNACKNOWLEDGED_INDEX, 0, 0, withscores=True)
        questions.info("memory")
        *lengths, held, oldest, memory = questions.execute()
    return BrokerFigures(
        messages=_by_queue(queues, lengths),
        unacknowledged=int(held),
        oldest_unacknowledged_seconds=_age(oldest),
        memory_bytes=int(memory["used_memory"]),
        memory_limit_bytes=int(memory.get("maxmemory", 0)),
    )


def _by_queue(queues: Collection[str], lengths: list[Any]) -> dict[str, int]:
    steps = len(lengths) // len(queues)
    found: dict[str, int] = {}
    for number, queue in enumerate(queues):
        length = sum(map(int, lengths[number * steps : (number + 1) * steps]))
        found[queue_group(queue)] = found.get(queue_group(queue), 0) + length
    return found


def _age(oldest: Any) -> float:
    return max(time.time() - float(oldest[0][1]), 0.0) if oldest else 0.0
