"""Where reviews gather until they fill a chunk, or have lingered long enough."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final

from iyu.producer.backpressure import Backpressure
from iyu.producer.batch import Batch
from iyu.producer.chunker import Chunker, Reviews
from iyu.producer.ledgerless_outbox import LedgerlessOutbox
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Rejection, Review, utc_now

if TYPE_CHECKING:
    from iyu.producer.outbox import Outbox

#: Seconds until a hand-over that failed in the background is tried again.
RETRY_AFTER: Final = 1.0


class Clock:
    """A clock whose every reading is later than the one before.

    Of two texts of one review the one submitted later wins, so no two chunks may share a time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = datetime.min.replace(tzinfo=UTC)
        self._behind = timedelta(0)  # this machine's clock, of the one it follows

    def now(self) -> datetime:
        """Return the time in UTC, at least a microsecond after the last reading."""
        with self._lock:
            ours = utc_now() + self._behind
            self._last = max(ours, self._last + timedelta(microseconds=1))
            return self._last

    def follow(self, other: Callable[[], datetime]) -> None:
        """Go by another clock from now on: the producers of one database then share one."""
        before = utc_now()
        moment = other()
        with self._lock:
            # It was read about halfway between asking and the answer.
            self._behind = moment - before - (utc_now() - before) / 2


class LingerBuffer:
    """Gathers one batch's reviews; a thread hands over what has lingered `linger` seconds.

    What could not be handed over stays here and is tried again, by the next call or in the
    background; a call that finds it still failing raises.
    """

    def __init__(
        self,
        batch: Batch,
        outbox: "Outbox | LedgerlessOutbox",
        backpressure: Backpressure,
        clock: Clock,
        *,
        chunk_size: int,
        group: int,
        linger: float,
        on_sent: Callable[[Batch], None] | None = None,
    ) -> None:
        self.batch = batch
        self._outbox = outbox
        self._backpressure = backpressure
        self._clock = clock
        self._group = group  # chunks in one transaction
        self._linger = linger
        self._on_sent = on_sent
        self._chunker = Chunker(chunk_size)
        self._unsent: list[Chunk] = []  # full chunks, oldest first
        #: Guards what is gathered; never held while anything waits or does I/O, so that `add`
        #: and Ctrl-C never wait for workers, broker or database behind another thread.
        self._changed = threading.Condition(threading.Lock())
        #: Held during a hand-over: chunks leave in order. Taken before `_changed`, never inside.
        self._handing_over = threading.Lock()
        self._since: float | None = None  # when the oldest review that lingers was added
        self._failed = False  # the last hand-over
        self._closed = False
        self._stop_waiting = threading.Event()
        self._thread = threading.Thread(target=self._hand_over_in_time, daemon=True)
        self._thread.start()

    def add(self, verdict: Review | Rejection) -> None:
        """Gather a review, or count a rejection; hand over when a group of chunks is full."""
        if self._failed:
            self._hand_over()
        with self._changed:
            if isinstance(verdict, Rejection):
                self.batch.rejected[verdict.reason] += 1
                return
            # Only the call that fills a chunk hands over: while the background thread waits for
            # workers with a chunk of its own, the others go on gathering.
            is_due = self._gather(verdict) and len(self._unsent) >= self._group
        if is_due:
            self._hand_over()

    def flush(self) -> None:
        """Hand over everything that was gathered."""
        self._hand_over(everything=True)
        self._outbox.settle(self.batch)

    def close(self) -> None:
        """Hand over everything, and close the batch; after an error it may be called again."""
        self._hand_over(everything=True)
        self._outbox.settle(self.batch, close=True)
        self.abandon()

    def abandon(self) -> None:
        """Stop without handing over: the batch stays open, as after a crash."""
        self.stop_waiting()
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def stop_waiting(self) -> None:
        """From now on raise Backlogged past the high-water mark, in place of waiting."""
        self._stop_waiting.set()

    def count_unaccepted(self) -> int:
        """Count the reviews that were added and are not accepted yet."""
        with self._changed:
            return len(self._chunker) + sum(len(chunk.reviews) for chunk in self._unsent)

    def _gather(self, review: Review) -> bool:
        """Put a review into the chunk being filled; True if a chunk became full."""
        before, full = len(self._chunker), len(self._unsent)
        closed = self._chunker.add(review)
        self.batch.repeated += not closed and len(self._chunker) == before
        if closed:
            self._cut(closed)
        if self._chunker.is_full:
            self._cut(self._chunker.take())
        if self._since is None:
            self._since = monotonic()
            self._changed.notify()
        return len(self._unsent) > full

    def _cut(self, reviews: Reviews) -> None:
        batch = self.batch
        now = self._clock.now()
        self._unsent.append(
            Chunk(new_id(), batch.source, reviews, now, batch.batch_id, batch.purpose)
        )

    def _hand_over(self, *, everything: bool = False) -> None:
        with self._handing_over:
            try:
                if everything:
                    self._cut_rest()
                if self._unsent:
                    self._backpressure.wait_for_room(tuple(self._unsent), self._stop_waiting)
                    self._outbox.send(self.batch, self._unsent)
            except BaseException:  # Ctrl-C too
                self._failed = True
                raise
            self._failed = False
            self._restart_linger()
            if self._on_sent is not None:
                self._on_sent(self.batch)

    def _cut_rest(self) -> None:
        with self._changed:
            if reviews := self._chunker.take():
                self._cut(reviews)

    def _restart_linger(self) -> None:
        with self._changed:
            self._since = monotonic() if len(self._chunker) or self._unsent else None

    def _hand_over_in_time(self) -> None:
        while self._wait_until_due():
            try:
                self.flush()
            except Exception:  # `_failed` is set: the next call raises it
                with self._changed:
                    self._since = monotonic() - self._linger + RETRY_AFTER

    def _wait_until_due(self) -> bool:
        """Return once something has lingered long enough; False once the buffer is closed."""
        with self._changed:
            while not self._closed:
                seconds = self._seconds_left()
                if seconds is not None and seconds <= 0:
                    return True
                self._changed.wait(seconds)
        return False

    def _seconds_left(self) -> float | None:
        return None if self._since is None else self._since + self._linger - monotonic()
