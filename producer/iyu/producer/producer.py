"""The producer: takes reviews, and hands them to the workers."""

import atexit
import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self

from iyu.producer.backpressure import Backpressure, OnFull, OnWait
from iyu.producer.batch import Batch, Receipt
from iyu.producer.ledgerless_outbox import LedgerlessOutbox
from iyu.producer.linger_buffer import Clock, LingerBuffer
from iyu.producer.readers.columns import RawReview
from iyu.schemas.broker.broker import Broker, RedisBroker
from iyu.schemas.contract.errors import IyuError, MessageError, RejectedReview, SettingsError
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.message_fields import read_source
from iyu.schemas.contract.review import Rejection, admit
from iyu.schemas.contract.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from iyu.producer.outbox import Outbox
    from iyu.schemas.erasure import Erased

#: Reviews in a chunk whose scores somebody waits for.
LIVE_CHUNK_SIZE: Final = 64
#: Chunks of a long submission that share a transaction: a commit costs more than a row.
BULK_GROUP: Final = 8
#: Seconds that reviews of a long submission linger: a slow pipe is handed over too.
BULK_LINGER: Final = 1.0

log = logging.getLogger("iyu.producer")

RawReviews = Iterable[RawReview | Rejection]


class Producer:
    """Hands reviews to the workers; safe to share between threads.

    With the ledger (the default) every accepted review is scored or becomes a dead letter, even if
    the broker loses its messages. Without it the guarantee is the broker's.

    source: where the reviews come from; (source, review_id) names a review.
    linger: seconds a single review waits for others to share its chunk.
    on_full: past IYU_HIGH_WATER pending reviews "wait", or "raise" Backlogged. While it waits it
        calls on_wait(pending, seconds): the pending reviews, and about how long they take to be
        scored, None while no worker finishes any. It may be called from another thread.
    patience: seconds to go on trying when the broker or the database fails for a while.

    Raises SettingsError for a wrong source, broker or database address.

        with Producer(source="shop") as producer:
            producer.submit("배송이 빨라서 좋았어요", review_id="4711")
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        source: str,
        broker_url: str | None = None,
        database_url: str | None = None,
        ledger: bool = True,
        queue: Queue = Queue.LIVE,
        linger: float = 0.05,
        on_full: OnFull | Literal["wait", "raise"] = OnFull.WAIT,
        on_wait: OnWait | None = None,
        patience: float = 15.0,
        broker: Broker | None = None,
        clock: Clock | None = None,
    ) -> None:
        settings = settings or Settings.load(broker_url=broker_url, database_url=database_url)
        self._settings = settings
        self._source = _checked_source(source)
        self._queue = Queue(queue)
        self._linger = linger
        self._connections = ExitStack()
        self._broker = broker or RedisBroker(settings)
        self._connections.callback(self._broker.close)
        self._engine: Engine | None = None
        self._outbox: Outbox | LedgerlessOutbox = LedgerlessOutbox(self._broker, patience)
        if ledger:
            self._engine, self._outbox = self._open_ledger(settings.database, patience)
        self._backpressure = Backpressure(
            self._broker,
            self._engine,
            high_water=settings.high_water,
            on_full=OnFull(on_full),
            on_wait=on_wait,
        )
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._singles: LingerBuffer | None = None
        self._closed = False
        atexit.register(self._close_at_exit)

    def submit(self, text: object, *, review_id: object, written_at: object = None) -> None:
        """Take one review; it is accepted once `flush` or `close` has returned.

        written_at: when it was written, a datetime with its zone or its ISO 8601 text.

        After an error other than RejectedReview submit it again: a review taken twice is one.

        Raises RejectedReview, BrokerUnavailable, BrokerFull, DatabaseUnavailable,
        DatabaseOutdated, Backlogged.
        """
        self._check_open()
        verdict = admit(review_id, text, written_at)
        (self._singles or self._open_singles()).add(verdict)
        if isinstance(verdict, Rejection):
            raise RejectedReview(verdict)

    def submit_many(
        self,
        rows: RawReviews,
        *,
        origin: str = "python",
        on_reject: Callable[[Rejection], None] | None = None,
        on_progress: Callable[[Receipt], None] | None = None,
    ) -> Receipt:
        """Accept raw reviews (review_id, text) or (review_id, text, written_at) as they come.

        Memory does not grow with them.

        A review that breaks the entrance rules is counted, passed to on_reject, and stops nothing.
        on_progress gets the receipt so far after each hand-over, perhaps in another thread. On an
        error what was accepted stays accepted, and the batch stays open; submitting everything
        again doubles nothing. A note on the error says how many reviews are safe.

        Raises what `submit` raises, and what `rows` raises; all but RejectedReview.
        """
        on_sent = (lambda batch: on_progress(batch.receipt())) if on_progress is not None else None
        batch = Batch(self._source, origin, self._queue)
        buffer = self._open(batch, group=BULK_GROUP, linger=BULK_LINGER, on_sent=on_sent)
        try:
            for row in rows:
                verdict = row if isinstance(row, Rejection) else admit(*row)
                if on_reject is not None and isinstance(verdict, Rejection):
                    on_reject(verdict)
                buffer.add(verdict)
            buffer.close()
        except BaseException as error:  # Ctrl-C too
            buffer.abandon()
            batch.receipt().note_on(error)
            raise
        return batch.receipt()

    def flush(self) -> None:
        """Return when every review taken by `submit` is accepted. Raises what `submit` raises."""
        with self._lock:
            singles = self._singles
        if singles is not None:
            singles.flush()

    def forget(self, review_ids: Iterable[str | int]) -> "Erased":
        """Erase reviews of this source everywhere, also those that this producer still holds.

        What was erased when an error comes stays so; forgetting all of them again does no harm. A
        review that is submitted later is a new one.

        Raises SettingsError without the ledger, InputError for what cannot be an id, and what
        `flush` raises.
        """
        if self._engine is None:
            raise SettingsError(
                "forget needs the ledger: use a Producer without ledger=False, or `iyu forget`"
            )
        # SQLAlchemy is imported already: the ledger is open.
        from iyu.schemas.erasure import forget_all
        from iyu.schemas.sql.engine import check

        self._check_open()
        self.flush()  # what lingers would be accepted after the erasure: a new review
        check(self._engine)
        return forget_all(self._engine, self._source, review_ids)

    def close(self) -> None:
        """Flush, and close every connection; after an error it may be called again.

        Raises what `submit` raises.
        """
        if self._closed:
            return
        if self._singles is not None:
            self._singles.close()
        self._closed = True
        atexit.unregister(self._close_at_exit)
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, KeyboardInterrupt):
            self._close_interrupted(error)
        else:
            self.close()

    def _close_interrupted(self, interrupt: KeyboardInterrupt) -> None:
        """Close after Ctrl-C: without waiting for workers, and without hiding the interrupt."""
        if self._singles is not None:
            self._singles.stop_waiting()
        try:
            self.close()
        except IyuError as error:
            interrupt.add_note(f"{self._count_unaccepted():,} reviews were not accepted: {error}")

    def _open_ledger(self, address: str, patience: float) -> "tuple[Engine, Outbox]":
        # SQLAlchemy takes as long to import as all the rest: only with a ledger.
        from iyu.producer.outbox import Outbox
        from iyu.schemas.sql.engine import connected

        engine = self._connections.enter_context(connected(address))
        return engine, Outbox(self._broker, engine, patience)

    def _open_singles(self) -> LingerBuffer:
        with self._lock:
            if self._singles is None:
                batch = Batch(self._source, "python", self._queue)
                self._singles = self._open(batch, group=1, linger=self._linger)
            return self._singles

    def _open(
        self,
        batch: Batch,
        *,
        group: int,
        linger: float,
        on_sent: Callable[[Batch], None] | None = None,
    ) -> LingerBuffer:
        self._check_open()
        if self._engine is not None:
            from iyu.schemas.sql.clock import database_now
            from iyu.schemas.sql.engine import check, reading

            check(self._engine)
            with reading(self._engine) as connection:
                self._clock.follow(lambda: database_now(connection))
        self._backpressure.wait_for_room()
        self._outbox.open(batch)
        size = self._settings.chunk_size
        return LingerBuffer(
            batch,
            self._outbox,
            self._backpressure,
            self._clock,
            chunk_size=min(size, LIVE_CHUNK_SIZE) if batch.purpose is Queue.LIVE else size,
            group=group,
            linger=linger,
            on_sent=on_sent,
        )

    def _check_open(self) -> None:
        if self._closed:
            raise IyuError("this producer is closed; make a new one")

    def _count_unaccepted(self) -> int:
        return self._singles.count_unaccepted() if self._singles is not None else 0

    def _close_at_exit(self) -> None:
        try:
            self.close()
        except Exception:
            log.exception(
                "%d reviews were not accepted before the program ended", self._count_unaccepted()
            )


def _checked_source(source: object) -> str:
    try:
        return read_source(source)
    except MessageError as error:
        raise SettingsError(str(error)) from None
