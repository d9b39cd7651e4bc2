"""Back-pressure: whether there is room for more reviews, looked at about once a second.

No request waits for it: each is compared with what the last look found and what was taken since.
"""

import asyncio
import logging
from time import monotonic
from typing import Final

from sqlalchemy import Engine

from iyu.console.gateway.answers import GatewayFull
from iyu.console.gateway.thread_pool import ThreadPool
from iyu.producer.backpressure import MESSAGE_OVERHEAD
from iyu.producer.linger_buffer import Clock
from iyu.schemas.broker.broker import Broker
from iyu.schemas.contract.errors import (
    Backlogged,
    BrokerFull,
    BrokerUnavailable,
    DatabaseUnavailable,
)
from iyu.schemas.contract.logs import summary
from iyu.schemas.ledger import progress
from iyu.schemas.sql.clock import database_now
from iyu.schemas.sql.engine import reading

log = logging.getLogger("iyu.gateway")

#: Seconds between two looks, and the share of the time that looking may take.
LOOK_EVERY: Final = 1.0
LOOK_SHARE: Final = 0.1


class Backlog:
    """What is pending, how fast it is scored, and how much memory the broker has left."""

    def __init__(self, engine: Engine, broker: Broker, clock: Clock, high_water: int) -> None:
        self._engine = engine
        self._broker = broker
        self._clock = clock
        self._high_water = high_water
        self._pending = 0  # reviews
        self._drain: float | None = None  # seconds for all of them
        self._free: int | None = None  # bytes; None: no limit, or not known
        self.database_answers = False
        self.broker_answers = False

    def check(self, size: int = 0) -> None:
        """Raise GatewayFull where no more may be taken; size: bytes of the reviews."""
        if self._pending >= self._high_water:
            raise GatewayFull(Backlogged(self._pending, self._drain), self._seconds_until_room())
        if self._free is not None and self._free < size + MESSAGE_OVERHEAD:
            raise GatewayFull(BrokerFull("the broker has reached its maxmemory"), self._drain)

    def take(self, reviews: int, size: int) -> None:
        """Count what was accepted since the last look."""
        self._pending += reviews
        if self._free is not None:
            self._free -= size

    def look(self) -> None:
        """Read the ledger, the broker's memory and the database's clock. Raises nothing of them."""
        self._look_at_database()
        self._look_at_broker()

    async def keep_looking(self, pool: ThreadPool) -> None:
        """Look again and again."""
        while True:
            began = monotonic()
            try:
                await pool.run(self.look)
            except Exception as error:
                log.error("the backlog cannot be read: %s", summary(error))
            await asyncio.sleep(max(LOOK_EVERY, (monotonic() - began) / LOOK_SHARE))

    def _look_at_database(self) -> None:
        try:
            with reading(self._engine) as connection:
                self._clock.follow(lambda: database_now(connection))
                pending = progress.pending(connection)
                if pending >= self._high_water:
                    self._drain = progress.drain_seconds(connection, pending)
                self._pending = pending
            self.database_answers = True
        except DatabaseUnavailable as error:
            if self.database_answers:
                log.warning("%s", error)
            self.database_answers = False

    def _look_at_broker(self) -> None:
        try:
            self._free = self._broker.free_bytes()
            self.broker_answers = True
        except BrokerUnavailable as error:
            # The ledger goes on taking reviews; a sweep publishes what could not be.
            if self.broker_answers:
                log.warning("%s; reviews are accepted, and scored once it is back", error)
            self.broker_answers = False
            self._free = None

    def _seconds_until_room(self) -> float | None:
        """Return how long workers need until fewer than the high-water mark are pending."""
        if self._drain is None:
            return None
        return self._drain * (self._pending - self._high_water + 1) / self._pending
