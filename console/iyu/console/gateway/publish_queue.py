"""Publishes what was committed; what the broker does not take, a sweep publishes later."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Final

from iyu.console.gateway.thread_pool import ThreadPool
from iyu.schemas.broker.broker import Broker
from iyu.schemas.contract.errors import BrokerUnavailable
from iyu.schemas.contract.logs import summary
from iyu.schemas.contract.message import Chunk

log = logging.getLogger("iyu.gateway")

#: Seconds until a broker that did not answer is tried again.
BROKER_PAUSE: Final = 1.0
#: Chunks kept in memory for a broker that comes back; beyond them the sweep alone publishes.
KEPT_UNPUBLISHED: Final = 512
#: Chunks that are noted as published by the next transaction, at most.
KEPT_PUBLISHED: Final = 2_000


class PublishQueue:
    """A queue of committed chunks on their way to the broker, the oldest first."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._unpublished: deque[Chunk] = deque(maxlen=KEPT_UNPUBLISHED)
        self._published: deque[str] = deque(maxlen=KEPT_PUBLISHED)
        self._filled = asyncio.Event()

    def put(self, chunks: Sequence[Chunk]) -> None:
        """Take chunks of the ledger; of too many the oldest are left to the sweep."""
        self._unpublished.extend(chunks)
        self._filled.set()

    def published(self) -> list[str]:
        """Return the chunks that are yet to be noted as published."""
        return list(self._published)

    def forget(self, noted: Sequence[str]) -> None:
        """Take chunks off that list, the first ones of it."""
        for _ in noted:
            self._published.popleft()

    async def run(self, pool: ThreadPool) -> None:
        """Publish, again and again."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            if not await self._publish(pool):
                await asyncio.sleep(BROKER_PAUSE)
                self._filled.set()

    async def finish(self, pool: ThreadPool) -> None:
        """Publish what is left, once, before the end."""
        await self._publish(pool)

    async def _publish(self, pool: ThreadPool) -> bool:
        """Publish what is there; False where the broker does not take it."""
        try:
            await pool.run(self._publish_all)
        except BrokerUnavailable:
            return False
        except Exception as error:
            log.error("publishing failed, a sweep does it: %s", summary(error))
            self._unpublished.clear()
        return True

    def _publish_all(self) -> None:
        while self._unpublished:
            chunk = self._unpublished[0]
            self._broker.publish(chunk)
            self._published.append(chunk.chunk_id)
            # More may have come meanwhile, and pushed this one out.
            if self._unpublished and self._unpublished[0] is chunk:
                self._unpublished.popleft()
