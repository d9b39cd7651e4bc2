"""Chunks whose message is lost are published again, from the ledger.

The broker decides, not the clock: in a large backlog a chunk may wait for hours. A queue is first
in, first out, so a chunk published clearly before the next message has left the queue; if no
worker holds it either, it is lost. (Redis came back empty; or its worker died after taking it,
before kombu recorded that; or its producer died between commit and publish.) Publishing one too
many is harmless: a finished chunk is not scored again.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from iyu.schemas.broker.publisher import Publisher
from iyu.schemas.broker.redis_contents import QueueContents, read_queues
from iyu.schemas.contract.message import Chunk
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql.clock import database_now
from iyu.schemas.sql.engine import reading, writing

log = logging.getLogger("iyu.worker")

#: Chunks of a queue that one sweep publishes at most; the next sweep takes the others.
SWEEP_LIMIT: Final = 1_000
_NOTHING: Final = QueueContents(0, None)


def sweep(settings: Settings, engine: Engine, publisher: Publisher) -> int:
    """Publish lost chunks again; return how many.

    Raises BrokerUnavailable, DatabaseUnavailable: the next sweep tries again.
    """
    with reading(engine) as connection:
        queues = ledger.open_queues(connection)
    lines, held = read_queues(settings, queues)
    age = settings.stale_after
    count = 0
    for queue in queues:
        lost = _take(settings, engine, queue, lines.get(queue, _NOTHING), held, age)
        if lost:
            log.warning("%d chunks of %s were lost: published again", len(lost), queue)
            publisher.publish(lost)
        count += len(lost)
    return count


def _take(
    settings: Settings,
    engine: Engine,
    queue: str,
    line: QueueContents,
    held: frozenset[str],
    age: float,
) -> list[Chunk]:
    margin = timedelta(seconds=age)
    with writing(engine) as connection:
        now = database_now(connection)  # the clock of all times in the ledger
        published_before: datetime | None = now - margin
        if line.messages:
            first = line.next_id and ledger.published_at(connection, line.next_id)
            published_before = min(now, first) - margin if first else None
        if (
            published_before is None
        ):  # the next message is not in the ledger: wait until it has left the queue
            return []
        return ledger.take_lost(
            connection,
            queue,
            published_before=published_before,
            begun_before=now - margin - timedelta(seconds=settings.task_time_limit),
            held=held,
            limit=SWEEP_LIMIT,
        )
