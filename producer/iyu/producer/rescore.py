"""Rescoring: stored reviews are scored by another model, beside live traffic.

A campaign keeps no state of its own: what is left to do is what has no row of the model on its
present text. So it can be stopped at any time and run again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Select, exists, func, select, tuple_

from iyu.producer.batch import Batch
from iyu.producer.chunker import chunked
from iyu.producer.outbox import Outbox
from iyu.schemas.broker.broker import Broker
from iyu.schemas.contract.message import Chunk, Queue, Rescore, new_id, unpack
from iyu.schemas.contract.review import Review
from iyu.schemas.ledger.chunks import is_open
from iyu.schemas.ledger.progress import pending_in_queue, queued_reviews
from iyu.schemas.sql.engine import reading
from iyu.schemas.sql.tables import chunks, predictions, reviews

#: Chunks handed over ahead of the workers: enough to keep them busy between two steps, and so few
#: that the ledger stays small and they hardly count in the producers' back-pressure.
AHEAD: Final = 16
#: Seconds to go on trying when the broker or the database fails for a while.
PATIENCE: Final = 15.0

Name = tuple[str, str]  # source, review_id


@dataclass(frozen=True, slots=True)
class Selection:
    """The stored reviews to rescore: those without a row of the model on their present text."""

    model_version: str
    source: str | None = None  # None: all
    since: datetime | None = None  # submitted then or later
    limit: int | None = None

    def count(self, connection: Connection) -> int:
        """Count the selected reviews."""
        found = int(connection.execute(self._query(func.count())).scalar_one())
        return found if self.limit is None else min(found, self.limit)

    def page(self, connection: Connection, after: Name | None, size: int) -> Sequence[Row[Any]]:
        """Return up to `size` of them after a key, in the order of their keys."""
        r = reviews.c
        query = self._query(r.source, r.review_id, r.text, r.submitted_at, r.written_at)
        if after is not None:
            query = query.where(tuple_(r.source, r.review_id) > tuple_(*after))
        return connection.execute(query.order_by(r.source, r.review_id).limit(size)).all()

    def _query(self, *columns: Any) -> Select[Any]:
        r, p = reviews.c, predictions.c
        has_row = exists().where(
            p.source == r.source,
            p.review_id == r.review_id,
            p.model_version == self.model_version,
            p.text_hash == r.text_hash,
        )
        query = select(*columns).select_from(reviews).where(~has_row)
        if self.source is not None:
            query = query.where(r.source == self.source)
        return query.where(r.submitted_at >= self.since) if self.since is not None else query


class Campaign:
    """Hands stored reviews over, a few chunks at a time."""

    def __init__(
        self, engine: Engine, broker: Broker, selection: Selection, *, chunk_size: int
    ) -> None:
        self._engine = engine
        self._selection = selection
        self._chunk_size = chunk_size
        purpose = Rescore(selection.model_version)
        self.queue = str(purpose)
        origin = f"rescore {selection.model_version}"
        self.batch = Batch(selection.source or "(all sources)", origin, purpose)
        self._outbox = Outbox(broker, engine, PATIENCE)
        with reading(engine) as connection:
            #: Pending already: of a campaign that was stopped.
            self._pending_names = _pending_names(connection, self.queue)
        self._after: Name | None = None
        self._is_open = False
        self.all_handed_over = False
        self.pending_reviews = 0  # handed over and not scored, at the last step
        self.live_reviews = 0  # of live traffic, queued at the last step

    def step(self) -> bool:
        """Hand over what there is room for; True once nothing is left to hand over or to score.

        Raises BrokerUnavailable, DatabaseUnavailable.
        """
        with reading(self._engine) as connection:
            pending_chunks, self.pending_reviews = pending_in_queue(connection, self.queue)
            self.live_reviews = queued_reviews(connection, Queue.LIVE)
        # Somebody waits for live reviews: nothing that would slow them down is handed over.
        room = 0 if self.live_reviews else AHEAD - pending_chunks
        if room > 0 and not self.all_handed_over:
            self._hand_over(room)
        return self.all_handed_over and not self.pending_reviews

    def close(self) -> None:
        """Close the batch: everything was handed over."""
        if self._is_open:
            self._outbox.settle(self.batch, close=True)

    def _hand_over(self, room: int) -> None:
        size = self._left(room * self._chunk_size)
        with reading(self._engine) as connection:
            rows = self._selection.page(connection, self._after, size) if size else ()
        if rows:
            self._after = rows[-1].source, rows[-1].review_id
            self._send(
                [row for row in rows if (row.source, row.review_id) not in self._pending_names]
            )
        self.all_handed_over = len(rows) < size or not self._left(1)

    def _left(self, wanted: int) -> int:
        limit = self._selection.limit
        return wanted if limit is None else min(wanted, limit - self.batch.accepted)

    def _send(self, rows: Sequence[Row[Any]]) -> None:
        unsent = list(_chunks(rows, self.batch, self._chunk_size))
        if not unsent:
            return
        if not self._is_open:
            self._outbox.open(self.batch)
            self._is_open = True
        self.pending_reviews += sum(len(chunk.reviews) for chunk in unsent)
        self._outbox.send(self.batch, unsent)
        self._outbox.settle(self.batch)


def _chunks(rows: Iterable[Row[Any]], batch: Batch, chunk_size: int) -> Iterator[Chunk]:
    """Make chunks of stored reviews, each with the time of its oldest review.

    A text that was submitted since then is newer than the chunk, and no stored text becomes newer
    than it was: neither the order of texts nor `resubmissions` changes.
    """
    for source, group in groupby(rows, key=attrgetter("source")):
        of_source = list(group)
        submitted_at = {row.review_id: row.submitted_at for row in of_source}
        texts = (Review(row.review_id, row.text, row.written_at) for row in of_source)
        for together in chunked(texts, chunk_size):
            oldest = min(submitted_at[review.review_id] for review in together)
            yield Chunk(new_id(), source, together, oldest, batch.batch_id, batch.purpose)


def _pending_names(connection: Connection, queue: str) -> frozenset[Name]:
    query = select(chunks.c.source, chunks.c.payload).where(
        chunks.c.queue == queue, is_open, chunks.c.payload.is_not(None)
    )
    return frozenset(
        (source, review.review_id)
        for source, payload in connection.execute(query)
        for review in unpack(payload)
    )
