"""Where reviews gather until they are enough for a chunk, or have waited long enough."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from iyu.producer.backpressure import Pressure
from iyu.producer.batch import Batch
from iyu.producer.chunker import Chunker, Reviews
from iyu.producer.clock import Clock
from iyu.schemas.contract.message import Chunk, new_id, read_purpose
from iyu.schemas.contract.review import Rejection, Review

#: Seconds until a hand-over that failed in the background is tried again.
TRY_AGAIN: float = 1.0


class WayOut(Protocol):
    """`Outbox` or `BareOutbox`."""

    def open(self, batch: Batch) -> None:
        """Begin a batch."""

    def send(self, batch: Batch, unsent: list[Chunk]) -> None:
        """Hand chunks over, taking off the list what is safe."""

    def settle(self, batch: Batch, *, close: bool = False) -> None:
        """Write down what was done."""


class Intake:
    """Gathers one batch's reviews; a background thread hands over what has waited `linger` seconds.

    What could not be handed over stays here and is tried again, by the next call or in the
    background; a call that finds it still failing raises.
    """

    def __init__(
        self,
        batch: Batch,
        out: WayOut,
        pressure: Pressure,
        clock: Clock,
        *,
        chunk_size: int,
        group: int,
        linger: float,
        on_sent: Callable[[Batch], None] | None = None,
    ) -> None:
        self.batch = batch
        self._out = out
        self._pressure = pressure
        self._clock = clock
        self._group = group  # chunks in one transaction
        self._linger = linger
        self._on_sent = on_sent
        self._chunker = Chunker(chunk_size)
        self._unsent: list[Chunk] = []
        self._changed = threading.Condition(threading.RLock())
        self._since: float | None = None  # when the oldest review that waits came in
        self._failed = False
        self._closed = False
        self._thread = threading.Thread(target=self._hand_over_in_time, daemon=True)
        self._thread.start()

    def take(self, verdict: Review | Rejection) -> None:
        """Gather a review, or count a rejection; hand over when a group of chunks is full."""
        with self._changed:
            if self._failed:
                self._send()
            if isinstance(verdict, Rejection):
                self.batch.rejected[verdict.reason] += 1
            else:
                self._gather(verdict)
            if len(self._unsent) >= self._group:
                self._send()

    def flush(self) -> None:
        """Hand over everything that was gathered."""
        with self._changed:
            self._send_all()
            self._out.settle(self.batch)

    def close(self) -> None:
        """Hand over everything, and close the batch; after an error it may be called again."""
        with self._changed:
            self._send_all()
            self._out.settle(self.batch, close=True)
        self.abandon()

    def abandon(self) -> None:
        """Stop without handing over: the batch stays open, as after a crash."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def waiting(self) -> int:
        """Count the reviews that nobody accepted yet."""
        with self._changed:
            return len(self._chunker) + sum(len(chunk.reviews) for chunk in self._unsent)

    def _gather(self, review: Review) -> None:
        before = len(self._chunker)
        closed = self._chunker.add(review)
        self.batch.repeated += not closed and len(self._chunker) == before
        if closed:
            self._cut(closed)
        if self._chunker.is_full:
            self._cut(self._chunker.take())
        if self._since is None:
            self._since = monotonic()
            self._changed.notify()

    def _cut(self, reviews: Reviews) -> None:
        batch = self.batch
        now = self._clock.now()
        self._unsent.append(
            Chunk(new_id(), batch.source, reviews, now, batch.batch_id, read_purpose(batch.queue))
        )

    def _send_all(self) -> None:
        if reviews := self._chunker.take():
            self._cut(reviews)
        self._send()

    def _send(self) -> None:
        self._failed = True  # until it has worked
        if self._unsent:
            self._pressure.check(self._unsent)
            self._out.send(self.batch, self._unsent)
        self._failed = False
        self._since = monotonic() if len(self._chunker) else None
        if self._on_sent is not None:
            self._on_sent(self.batch)

    def _hand_over_in_time(self) -> None:
        with self._changed:
            while not self._closed:
                if (seconds := self._seconds_left()) is None or seconds > 0:
                    self._changed.wait(seconds)
                else:
                    self._try()

    def _seconds_left(self) -> float | None:
        return None if self._since is None else self._since + self._linger - monotonic()

    def _try(self) -> None:
        try:
            self._send_all()
            self._out.settle(self.batch)
        except Exception:  # `_failed` is set: the next call meets it
            self._since = monotonic() - self._linger + TRY_AGAIN
