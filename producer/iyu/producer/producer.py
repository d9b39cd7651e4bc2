"""Hand reviews over, and forget them."""

import atexit
import logging
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Literal, Self

from iyu.producer.backpressure import OnFull, OnWait, Pressure
from iyu.producer.batch import Batch, Receipt
from iyu.producer.clock import Clock
from iyu.producer.linger_buffer import Intake, WayOut
from iyu.producer.outbox import BareOutbox, Outbox
from iyu.schemas.broker.broker import Broker, CeleryBroker
from iyu.schemas.contract.errors import IyuError, RejectedReview, SettingsError
from iyu.schemas.contract.message import MAX_SOURCE_LENGTH, Queue
from iyu.schemas.contract.review import Rejection, admit
from iyu.schemas.contract.settings import Settings
from iyu.schemas.sql.engine import check, connect

#: Reviews in a chunk that somebody waits for.
LIVE_CHUNK_SIZE: Final = 64
#: Chunks of a long submission that share a transaction: a commit costs more than a row.
BULK_GROUP: Final = 8
#: Seconds that reviews of a long submission wait for more: a slow pipe is handed over too.
BULK_LINGER: Final = 1.0

log = logging.getLogger("iyu.producer")

Rows = Iterable[tuple[object, object] | Rejection]


class Producer:
    """Hands reviews to the workers; safe to share between threads.

    With the ledger (the default) every accepted review is scored or becomes a dead letter, even if
    the broker loses its messages. Without it the guarantee is the broker's.

    source: where the reviews come from; (source, review_id) names a review.
    linger: seconds a single review waits for company before it travels.
    on_full: past IYU_HIGH_WATER pending reviews "wait" (telling on_wait(pending, seconds), the
        seconds being None while nothing moves) or "raise" Backlogged.
    patience: seconds to go on trying when the broker or the database fails for a while.

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
        if not 1 <= len(source) <= MAX_SOURCE_LENGTH:
            raise SettingsError(f"source must have 1 to {MAX_SOURCE_LENGTH} characters")
        self._settings = settings
        self._source = source
        self._queue = queue
        self._linger = linger
        self._broker = broker or CeleryBroker(settings)
        self._engine = connect(settings.database) if ledger else None
        self._out: WayOut = (
            Outbox(self._broker, self._engine, patience)
            if self._engine is not None
            else BareOutbox(self._broker, patience)
        )
        self._pressure = Pressure(
            self._broker,
            self._engine,
            high_water=settings.high_water,
            on_full=OnFull(on_full),
            on_wait=on_wait,
        )
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._singles: Intake | None = None
        self._closed = False
        atexit.register(self._close_at_exit)

    def submit(self, text: object, *, review_id: object) -> None:
        """Take one review; it is safe once `flush` or `close` has returned.

        After an error other than RejectedReview submit it again: a review taken twice is one.

        Raises RejectedReview, BrokerUnavailable, BrokerFull, DatabaseUnavailable,
        DatabaseOutdated, Backlogged.
        """
        verdict = admit(review_id, text)
        intake = self._open_singles()
        intake.take(verdict)
        if isinstance(verdict, Rejection):
            raise RejectedReview(verdict)

    def submit_many(
        self,
        rows: Rows,
        *,
        origin: str = "python",
        on_reject: Callable[[Rejection], None] | None = None,
        on_progress: Callable[[Receipt], None] | None = None,
    ) -> Receipt:
        """Take raw reviews (review_id, text) as they come; memory does not grow with them.

        A review that breaks the entrance rules is counted, told to on_reject, and stops nothing.
        on_progress is told after each hand-over, perhaps from another thread. On an error what
        was accepted stays so, and the batch stays open; submitting all again doubles nothing. A
        note on the error says how many reviews are safe.

        Raises what `submit` raises, and what `rows` raises; all but RejectedReview.
        """
        told = on_progress
        intake = self._open(
            Batch(self._source, origin, self._queue),
            group=BULK_GROUP,
            linger=BULK_LINGER,
            on_sent=(lambda batch: told(batch.receipt())) if told is not None else None,
        )
        try:
            for row in rows:
                verdict = row if isinstance(row, Rejection) else admit(*row)
                if on_reject is not None and isinstance(verdict, Rejection):
                    on_reject(verdict)
                intake.take(verdict)
            intake.close()
        except BaseException as error:  # Ctrl-C too
            intake.abandon()
            intake.batch.receipt().note_on(error)
            raise
        return intake.batch.receipt()

    def flush(self) -> None:
        """Return when every review taken by `submit` is safe. Raises what `submit` raises."""
        with self._lock:
            singles = self._singles
        if singles is not None:
            singles.flush()

    def close(self) -> None:
        """Flush, and let every connection go; after an error it may be called again.

        Raises what `submit` raises.
        """
        if self._closed:
            return
        if self._singles is not None:
            self._singles.close()
        self._closed = True
        atexit.unregister(self._close_at_exit)
        self._broker.close()
        if self._engine is not None:
            self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _open_singles(self) -> Intake:
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
    ) -> Intake:
        if self._closed:
            raise IyuError("this producer is closed; make a new one")
        if self._engine is not None:
            check(self._engine)
        self._pressure.check()
        self._out.open(batch)
        size = self._settings.chunk_size
        return Intake(
            batch,
            self._out,
            self._pressure,
            self._clock,
            chunk_size=min(size, LIVE_CHUNK_SIZE) if batch.queue is Queue.LIVE else size,
            group=group,
            linger=linger,
            on_sent=on_sent,
        )

    def _close_at_exit(self) -> None:
        try:
            self.close()
        except Exception:
            lost = self._singles.waiting() if self._singles is not None else 0
            log.exception("%d reviews were not accepted before the program ended", lost)
