"""Chunks go out: written into the ledger and committed first, published then."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from sqlalchemy import Connection, Engine, select

from iyu.producer.batch import Batch
from iyu.schemas.broker.broker import Broker
from iyu.schemas.contract.errors import BrokerUnavailable, DatabaseUnavailable
from iyu.schemas.contract.message import Chunk
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql.engine import writing
from iyu.schemas.sql.tables import chunks as chunks_table

#: Seconds before the first repetition; it doubles each time, up to the longest.
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 2.0
#: Chunks kept in memory for a broker that comes back; beyond them the sweep alone publishes.
KEPT_UNPUBLISHED: Final = 256


class Outbox:
    """The way out that nothing is lost on: ledger, commit, publish.

    patience: seconds to go on trying when the database or the broker fails.
    """

    def __init__(self, broker: Broker, engine: Engine, patience: float) -> None:
        self._broker = broker
        self._engine = engine
        self._patience = patience
        self._lock = threading.Lock()
        self._published: list[str] = []  # not noted in the ledger yet
        self._unpublished: deque[tuple[Batch, Chunk]] = deque(maxlen=KEPT_UNPUBLISHED)
        self._broker_is_down = False

    def open(self, batch: Batch) -> None:
        """Write the batch's row. Raises DatabaseUnavailable."""
        self._transaction(lambda connection, _again: batch.open(connection))

    def send(self, batch: Batch, unsent: list[Chunk]) -> None:
        """Accept chunks, take them off the list, and publish them.

        Once they are off the list nothing of them can be lost.

        Raises DatabaseUnavailable: none of them was accepted.
        """
        with self._lock:
            self._transaction(lambda c, again: self._accept(c, again, batch, unsent))
            batch.count(unsent)
            batch.unpublished += sum(len(chunk.reviews) for chunk in unsent)
            self._unpublished.extend((batch, chunk) for chunk in unsent)
            unsent.clear()
            self._publish()

    def settle(self, batch: Batch, *, close: bool = False) -> None:
        """Note in the ledger what was published, and in the batch that it is complete."""
        with self._lock:
            self._publish()
            self._transaction(lambda connection, _again: self._note(connection, batch, close))

    def _note(self, connection: Connection, batch: Batch, close: bool) -> None:
        self._mark_published(connection)
        if close:
            batch.close(connection)
        else:
            batch.save(connection)

    def _accept(
        self, connection: Connection, again: bool, batch: Batch, chunks: Sequence[Chunk]
    ) -> None:
        self._mark_published(connection)
        # The first try may have been committed although its answer was lost.
        new = _missing(connection, chunks) if again else chunks
        if new:
            ledger.accept(connection, new)
        batch.save(connection, chunks)

    def _mark_published(self, connection: Connection) -> None:
        if self._published:
            ledger.mark_published(connection, self._published)

    def _transaction(self, work: Callable[[Connection, bool], None]) -> None:
        def once(again: bool) -> None:
            with writing(self._engine) as connection:
                work(connection, again)

        retry(once, DatabaseUnavailable, self._patience)
        self._published.clear()

    def _publish(self) -> None:
        """Publish what is unpublished, oldest first; where the broker fails, leave the rest."""
        while self._unpublished:
            batch, chunk = self._unpublished[0]
            patience = 0.0 if self._broker_is_down else self._patience
            try:
                _publish(self._broker, chunk, patience)
            except BrokerUnavailable:
                self._broker_is_down = True
                return
            self._broker_is_down = False
            self._unpublished.popleft()
            self._published.append(chunk.chunk_id)
            batch.unpublished -= len(chunk.reviews)


class BareOutbox:
    """The way out without a ledger: what the broker took is as safe as the broker."""

    def __init__(self, broker: Broker, patience: float) -> None:
        self._broker = broker
        self._patience = patience

    def open(self, batch: Batch) -> None:
        """Do nothing: there is no row."""

    def send(self, batch: Batch, unsent: list[Chunk]) -> None:
        """Publish chunks, and take each off the list. Raises BrokerUnavailable, BrokerFull."""
        while unsent:
            _publish(self._broker, unsent[0], self._patience)
            batch.count([unsent.pop(0)])

    def settle(self, batch: Batch, *, close: bool = False) -> None:
        """Do nothing: there is no row."""


def retry(work: Callable[[bool], None], transient: type[Exception], patience: float) -> None:
    """Do something that may fail for a while; it is told whether it was tried before.

    Raises the last transient error once the patience (seconds) is over.
    """
    deadline = monotonic() + patience
    pause, again = FIRST_PAUSE, False
    while True:
        try:
            return work(again)
        except transient:
            if monotonic() + pause > deadline:
                raise
        threading.Event().wait(pause)
        pause, again = min(2 * pause, LONGEST_PAUSE), True


def _publish(broker: Broker, chunk: Chunk, patience: float) -> None:
    retry(lambda _again: broker.publish(chunk), BrokerUnavailable, patience)


def _missing(connection: Connection, chunks: Sequence[Chunk]) -> list[Chunk]:
    ids = [chunk.chunk_id for chunk in chunks]
    there = set(
        connection.scalars(select(chunks_table.c.chunk_id).where(chunks_table.c.chunk_id.in_(ids)))
    )
    return [chunk for chunk in chunks if chunk.chunk_id not in there]
