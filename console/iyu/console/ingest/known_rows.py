"""What is known here of the rows of a page: an unchanged text is not handed over again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select

from iyu.producer.readers.row_changes import Changed
from iyu.schemas.contract.message import unpack
from iyu.schemas.contract.review import Review, text_hash
from iyu.schemas.erasure.tombstones import key_hash
from iyu.schemas.ledger.chunks import OPEN
from iyu.schemas.sql.clock import database_now
from iyu.schemas.sql.tables import chunks, dead_letters, reviews, tombstones

#: Reviews that are remembered after they were handed over: about 40 MB.
REMEMBERED: Final = 200_000
#: In place of a text's hash: the row was deleted there, and is erased here.
ERASED: Final = "erased"
_accepted_at = func.coalesce(chunks.c.accepted_at, chunks.c.submitted_at)


@dataclass(frozen=True, slots=True)
class Handled:
    """What was done last with a row."""

    outcome: str  # the hash of its text, ERASED, or why it was rejected
    changed: Changed | None  # None: found pending when this process began
    at: datetime  # by iyu's database
    written_at: datetime | None = None


class Memory:
    """Rows handled lately, by review id; what is pending is found nowhere else by its key."""

    def __init__(self) -> None:
        self._handled: dict[str, Handled] = {}
        self.dropped_until: datetime | None = None  # the newest row that was dropped from here

    def get(self, review_id: str) -> Handled | None:
        """Return what was done last with a row."""
        return self._handled.get(review_id)

    def add(self, review_id: str, handled: Handled) -> None:
        """Remember what was done with a row, as the newest."""
        self._handled.pop(review_id, None)
        self._handled[review_id] = handled
        if len(self._handled) > REMEMBERED:
            for oldest in list(islice(self._handled, REMEMBERED // 10)):
                self.dropped_until = self._handled.pop(oldest).at

    def load_pending(self, connection: Connection, source: str) -> None:
        """Remember the source's pending reviews, after a process before this one has ended."""
        query = (
            select(chunks.c.payload, _accepted_at.label("at"))
            .where(chunks.c.source == source, chunks.c.state.in_(OPEN))
            .where(chunks.c.payload.is_not(None))
            .order_by(chunks.c.submitted_at)
            .execution_options(yield_per=16)
        )
        for row in connection.execute(query):
            for review in unpack(row.payload):
                handled = Handled(text_hash(review.text), None, row.at, review.written_at)
                self.add(review.review_id, handled)


class Text(NamedTuple):
    """What is here of a text."""

    text_hash: str
    written_at: datetime | None

    def is_that_of(self, review: Review, digest: str) -> bool:
        """Whether a row says nothing new: this text, and no other time at which it was written."""
        says_time = review.written_at is not None and review.written_at != self.written_at
        return self.text_hash == digest and not says_time


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database holds of some reviews of a source, by review id."""

    now: datetime
    texts: dict[str, Text]
    letters: dict[str, set[Text]]  # of texts that became dead letters
    erased_at: dict[str, datetime]
    oldest_pending: datetime | None  # of the whole source


def read_stored(connection: Connection, source: str, review_ids: Sequence[str]) -> Stored:
    """Read what is there of these reviews."""
    return Stored(
        database_now(connection),
        _texts(connection, source, review_ids),
        _letters(connection, source, review_ids),
        _erased_at(connection, source, review_ids),
        _oldest_pending(connection, source),
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What memory and database know together."""

    memory: Memory
    stored: Stored

    def last(self, review_id: str) -> Handled | None:
        """Return what was done last with a row; nothing that somebody has erased since."""
        handled = self.memory.get(review_id)
        erased_at = self.stored.erased_at.get(review_id)
        if handled is None or handled.outcome == ERASED or erased_at is None:
            return handled
        return handled if handled.at > erased_at else None

    def has_text(self, review: Review, digest: str) -> bool:
        """Whether this very text is scored, pending or a dead letter, and is the newest here."""
        review_id = review.review_id
        if handled := self.last(review_id):
            return Text(handled.outcome, handled.written_at).is_that_of(review, digest)
        if self._may_be_pending():
            return False
        stored = self.stored.texts.get(review_id)
        here = [*self.stored.letters.get(review_id, ()), *([stored] if stored else [])]
        return any(text.is_that_of(review, digest) for text in here)

    def has_review(self, review_id: str) -> bool:
        """Whether there may be something of a review that can be erased."""
        if handled := self.last(review_id):
            return handled.outcome != ERASED
        stored = self.stored
        return review_id in stored.texts or review_id in stored.letters or self._may_be_pending()

    def _may_be_pending(self) -> bool:
        """Whether a review that memory has dropped may still be on its way."""
        dropped, oldest = self.memory.dropped_until, self.stored.oldest_pending
        return dropped is not None and oldest is not None and oldest <= dropped


def _texts(connection: Connection, source: str, review_ids: Collection[str]) -> dict[str, Text]:
    r = reviews.c
    query = select(r.review_id, r.text_hash, r.written_at).where(
        r.source == source, r.review_id.in_(list(review_ids))
    )
    return {key: Text(*values) for key, *values in connection.execute(query)}


def _letters(
    connection: Connection, source: str, review_ids: Collection[str]
) -> dict[str, set[Text]]:
    d = dead_letters.c
    query = select(d.review_id, d.text, d.written_at).where(
        d.source == source, d.review_id.in_(list(review_ids)), d.text.is_not(None)
    )
    found: dict[str, set[Text]] = {}
    for row in connection.execute(query):
        found.setdefault(row.review_id, set()).add(Text(text_hash(row.text), row.written_at))
    return found


def _erased_at(
    connection: Connection, source: str, review_ids: Collection[str]
) -> dict[str, datetime]:
    hashes = {key_hash(source, review_id): review_id for review_id in review_ids}
    query = select(tombstones).where(tombstones.c.key_hash.in_(list(hashes)))
    return {hashes[row.key_hash]: row.erased_at for row in connection.execute(query)}


def _oldest_pending(connection: Connection, source: str) -> datetime | None:
    query = select(_accepted_at.label("at")).where(
        chunks.c.source == source, chunks.c.state.in_(OPEN)
    )
    moment: datetime | None = connection.execute(query.order_by("at").limit(1)).scalar()
    return moment
