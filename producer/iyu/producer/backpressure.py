"""Back-pressure: whether more reviews may be accepted now."""

import threading
from collections.abc import Callable, Sequence
from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING, Final

from iyu.schemas.broker.broker import Broker
from iyu.schemas.contract.errors import Backlogged, BrokerFull, BrokerUnavailable
from iyu.schemas.contract.message import Chunk

if TYPE_CHECKING:
    from sqlalchemy import Engine

#: Seconds a count of pending reviews is good for: other producers add to it too.
COUNT_AGE: Final = 2.0
#: Seconds between two counts while waiting.
POLL_SECONDS: Final = 0.25
#: Bytes a message takes in Redis beside its reviews: headers, and keys of the queue.
MESSAGE_OVERHEAD: Final = 4096

OnWait = Callable[[int, float | None], None]


class OnFull(StrEnum):
    """What a producer does past the high-water mark."""

    WAIT = "wait"
    RAISE = "raise"


class Backpressure:
    """Accepts chunks, makes them wait, or refuses them.

    Without a ledger only the broker's free memory counts.
    """

    def __init__(
        self,
        broker: Broker,
        engine: "Engine | None",
        *,
        high_water: int,
        on_full: OnFull,
        on_wait: OnWait | None = None,
    ) -> None:
        self._broker = broker
        self._engine = engine
        self._high_water = high_water
        self._on_full = on_full
        self._on_wait = on_wait or (lambda _pending, _seconds: None)
        self._answered = False
        self._pending = 0
        self._counted_at = float("-inf")

    def wait_for_room(
        self, chunks: Sequence[Chunk] = (), stop_waiting: threading.Event | None = None
    ) -> None:
        """Return when these chunks may be accepted.

        stop_waiting: once it is set Backlogged is raised in place of waiting.

        Raises BrokerUnavailable, BrokerFull, DatabaseUnavailable, and Backlogged with
        OnFull.RAISE. Nothing is accepted then.
        """
        self._check_broker(chunks)
        if self._engine is None:
            return
        if monotonic() - self._counted_at > COUNT_AGE or self._pending >= self._high_water:
            self._wait_for_workers(self._engine, stop_waiting or threading.Event())
        self._pending += sum(len(chunk.reviews) for chunk in chunks)

    def _check_broker(self, chunks: Sequence[Chunk]) -> None:
        try:
            free = self._broker.free_bytes()
        except BrokerUnavailable:
            # It went down in the middle: the ledger keeps the reviews, a sweep publishes them.
            if self._answered and self._engine is not None:
                return
            raise
        self._answered = True
        if free is not None and free < sum(map(_estimate_bytes, chunks)):
            raise BrokerFull(
                "the broker has reached its maxmemory and nothing more was accepted; "
                "wait until workers have caught up, or raise maxmemory, and submit again"
            )

    def _wait_for_workers(self, engine: "Engine", stop_waiting: threading.Event) -> None:
        while (pending := self._count(engine)) >= self._high_water:
            seconds = self._drain_seconds(engine, pending)
            if self._on_full is OnFull.RAISE or stop_waiting.is_set():
                raise Backlogged(pending, seconds)
            self._on_wait(pending, seconds)
            stop_waiting.wait(POLL_SECONDS)

    def _count(self, engine: "Engine") -> int:
        from iyu.schemas.ledger import progress
        from iyu.schemas.sql.engine import reading

        with reading(engine) as connection:
            self._pending = progress.pending(connection)
        self._counted_at = monotonic()
        return self._pending

    def _drain_seconds(self, engine: "Engine", pending: int) -> float | None:
        from iyu.schemas.ledger import progress
        from iyu.schemas.sql.engine import reading

        with reading(engine) as connection:
            return progress.drain_seconds(connection, pending)


def _estimate_bytes(chunk: Chunk) -> int:
    # Deflated and in base64 Korean text takes about 2 bytes a character; 3 is on the safe side.
    return MESSAGE_OVERHEAD + sum(3 * len(review.text) for review in chunk.reviews)
