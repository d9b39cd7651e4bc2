"""Where chunks leave the producer: committed to the ledger first, then published."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection, Engine, select

from iyu.producer.attempts import attempts
from iyu.producer.batch import Batch
from iyu.schemas.broker.broker import Broker
from iyu.schemas.contract.errors import BrokerUnavailable, DatabaseUnavailable
from iyu.schemas.contract.message import Chunk
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.batches import BatchRow, open_batch, update_batch
from iyu.schemas.sql.engine import writing
from iyu.schemas.sql.tables import chunks as chunks_table

#: Chunks kept in memory for a broker that comes back; beyond them the sweep alone publishes.
KEPT_UNPUBLISHED: Final = 256


class Outbox:
    """Commits chunks to the ledger, then publishes them: an accepted review is never lost.

    patience: seconds to go on trying when the database or the broker fails.
    """

    def __init__(self, broker: Broker, engine: Engine, patience: float) -> None:
        self._broker = broker
        self._engine = engine
        self._patience = patience
        self._lock = threading.Lock()
        #: Marked in the ledger by the next transaction: one of their own would cost a commit.
        self._published: list[str] = []
        self._unpublished: deque[tuple[Batch, Chunk]] = deque(maxlen=KEPT_UNPUBLISHED)
        self._broker_is_down = False
        #: A transaction failed or was interrupted: it may be committed, its answer lost.
        self._in_doubt = False

    def open(self, batch: Batch) -> None:
        """Write the batch's row. Raises DatabaseUnavailable."""
        with self._lock:
            self._transaction(lambda c, in_doubt: open_batch(c, _row(batch), may_exist=in_doubt))

    def send(self, batch: Batch, unsent: list[Chunk]) -> None:
        """Accept the chunks that are in the list now, take them off it, and publish them.

        Once they are off the list nothing of them can be lost.

        Raises DatabaseUnavailable: they are still in the list.
        """
        with self._lock:
            chunks = tuple(unsent)
            self._transaction(lambda c, in_doubt: _accept(c, in_doubt, batch, chunks))
            del unsent[: len(chunks)]
            batch.count(chunks)
            batch.unpublished += sum(len(chunk.reviews) for chunk in chunks)
            self._unpublished.extend((batch, chunk) for chunk in chunks)
            self._publish()

    def settle(self, batch: Batch, *, close: bool = False) -> None:
        """Publish the rest, and bring the ledger and the batch's row up to date.

        Raises DatabaseUnavailable.
        """
        with self._lock:
            self._publish()
            self._transaction(lambda c, _: update_batch(c, _row(batch), close=close))

    def _transaction(self, work: Callable[[Connection, bool], None]) -> None:
        """Do `work(connection, in_doubt)`, and mark what was published, in one transaction."""
        for attempt in attempts(DatabaseUnavailable, self._patience):
            with attempt:
                in_doubt, self._in_doubt = self._in_doubt, True
                with writing(self._engine) as connection:
                    if self._published:
                        ledger.mark_published(connection, self._published)
                    work(connection, in_doubt)
        self._in_doubt = False
        self._published.clear()

    def _publish(self) -> None:
        """Publish what is unpublished, oldest first; where the broker fails, leave the rest."""
        while self._unpublished:
            batch, chunk = self._unpublished[0]
            try:
                for attempt in attempts(
                    BrokerUnavailable, 0.0 if self._broker_is_down else self._patience
                ):
                    with attempt:
                        self._broker.publish(chunk)
            except BrokerUnavailable:
                self._broker_is_down = True
                return
            self._broker_is_down = False
            self._unpublished.popleft()
            self._published.append(chunk.chunk_id)
            batch.unpublished -= len(chunk.reviews)


def _accept(connection: Connection, in_doubt: bool, batch: Batch, chunks: Sequence[Chunk]) -> None:
    new = _missing(connection, chunks) if in_doubt else chunks
    if new:
        ledger.accept(connection, new)
    update_batch(connection, _row(batch, chunks))


def _row(batch: Batch, new: Sequence[Chunk] = ()) -> BatchRow:
    """Return the batch's row, including the chunks that are about to be accepted."""
    return BatchRow(
        batch.batch_id,
        batch.source,
        batch.origin,
        batch.accepted + sum(len(chunk.reviews) for chunk in new),
        batch.rejected.total(),
        batch.chunks + len(new),
    )


def _missing(connection: Connection, chunks: Sequence[Chunk]) -> list[Chunk]:
    ids = [chunk.chunk_id for chunk in chunks]
    there = set(
        connection.scalars(select(chunks_table.c.chunk_id).where(chunks_table.c.chunk_id.in_(ids)))
    )
    return [chunk for chunk in chunks if chunk.chunk_id not in there]
