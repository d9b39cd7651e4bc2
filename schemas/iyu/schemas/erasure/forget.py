"""Forget reviews: one transaction, after which nothing of them is left in any table."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete

from iyu.schemas.erasure.letters import delete_letters
from iyu.schemas.erasure.lock import lock_for_erasing
from iyu.schemas.erasure.payloads import empty_chunks, empty_deliveries
from iyu.schemas.erasure.tombstones import write_tombstones
from iyu.schemas.erasure.words import take_back_words
from iyu.schemas.results.events import Kind, record
from iyu.schemas.sql.clock import database_now
from iyu.schemas.sql.tables import (
    explanations,
    labels,
    model_comparison_examples,
    predictions,
    resubmissions,
    reviews,
)

#: Children before what they hang on: a reader between two statements sees no score without a text.
_TABLES = (
    model_comparison_examples,
    labels,
    explanations,
    predictions,
    resubmissions,
    reviews,
)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was found and is gone."""

    stored: int  # reviews with their scores
    pending: int  # reviews that waited for theirs
    letters: int  # dead letters

    def __add__(self, other: "Erased") -> "Erased":
        """Return both together."""
        return Erased(
            self.stored + other.stored,
            self.pending + other.pending,
            self.letters + other.letters,
        )


def forget_reviews(connection: Connection, source: str, review_ids: Sequence[str]) -> Erased:
    """Erase reviews in this transaction; one that is not there gets a tombstone all the same.

    A message on its way cannot bring one back; a later submission is a new review.
    """
    ids = sorted(set(review_ids))
    if not ids:
        return Erased(0, 0, 0)
    lock_for_erasing(connection, source)
    take_back_words(connection, source, ids)
    stored = _delete_rows(connection, source, ids)
    pending = empty_chunks(connection, source, frozenset(ids))
    letters = delete_letters(connection, source, frozenset(ids))
    empty_deliveries(connection, source, frozenset(ids))
    # Last, with the time of now: what was accepted while this waited for its locks was before it.
    write_tombstones(connection, source, ids, database_now(connection))
    record(connection, Kind.ERASED, source, ids)
    return Erased(stored, pending, letters)


def _delete_rows(connection: Connection, source: str, ids: Sequence[str]) -> int:
    count = 0
    for table in _TABLES:
        gone = delete(table).where(table.c.source == source, table.c.review_id.in_(ids))
        count = int(connection.execute(gone).rowcount)
    return count
