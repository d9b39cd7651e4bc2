"""Reviews to rows: a newer text replaces an older one, and never the other way round."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from iyu.schemas.contract.message import Chunk, Rescore
from iyu.schemas.contract.review import Review
from iyu.schemas.sql import tables
from iyu.schemas.sql.upsert import upsert
from iyu.worker.scoring import Prediction

#: A newer text replaces an older one; the same text changes nothing, whenever it arrives.
_NEWER_TEXT = """
    excluded.text_hash <> reviews.text_hash
    AND excluded.submitted_at > reviews.submitted_at
    AND NOT EXISTS (
        SELECT 1 FROM resubmissions AS again
        WHERE again.source = excluded.source AND again.review_id = excluded.review_id
          AND again.submitted_at >= excluded.submitted_at
    )
"""

#: Of two submissions of one text the later one says when it was written; any does if none has yet.
_NEWER_TIME = """
    excluded.text_hash = reviews.text_hash
    AND (reviews.written_at IS NULL OR excluded.submitted_at > reviews.submitted_at)
    AND (reviews.written_at IS NULL OR NOT EXISTS (
        SELECT 1 FROM resubmissions AS again
        WHERE again.source = excluded.source AND again.review_id = excluded.review_id
          AND again.submitted_at >= excluded.submitted_at
    ))
"""

Scored = tuple[Review, Prediction, str]  # with the hash of its text


class Stored(NamedTuple):
    """A stored review."""

    text_hash: str
    submitted_at: datetime  # when its text came in
    text: str
    written_at: datetime | None

    @property
    def day_at(self) -> datetime:
        """The time on whose day it counts."""
        return self.written_at or self.submitted_at


@dataclass(frozen=True, slots=True)
class Standing:
    """Which of a chunk's reviews have their present text in it."""

    current: Sequence[Scored]  # those whose text is the present one
    chunk: Chunk  # in which those came that are new
    #: Of those that were there already: what was stored before and after, by review_id.
    before: dict[str, Stored] = field(default_factory=dict)
    after: dict[str, Stored] = field(default_factory=dict)

    def day_at(self, review: Review) -> datetime:
        """Return the time on whose day a review counts."""
        if stored := self.after.get(review.review_id):
            return stored.day_at
        return self.chunk.written_at(review) or self.chunk.submitted_at


def keep_newer_text(
    connection: Connection, chunk: Chunk, scored: Sequence[Scored], added: frozenset[str]
) -> Standing:
    """Update the reviews that were not added; their rows stay locked to the transaction's end.

    A rescored chunk updates none, and a review that was deleted meanwhile stays deleted.
    """
    known = [row for row in scored if row[0].review_id not in added]
    if not known:
        return Standing(scored, chunk)
    before = after = _stored(connection, chunk.source, known)
    if not isinstance(chunk.purpose, Rescore):
        columns = review_columns(chunk, known)
        upsert(connection, tables.reviews, columns, update_where=_NEWER_TEXT)
        _bring_times(connection, chunk, known, before)
        after = _stored(connection, chunk.source, known)
    current = [
        row
        for row in scored
        if row[0].review_id in added or _has_text(after.get(row[0].review_id), row[2])
    ]
    _remember(connection, chunk, [row[0].review_id for row in current], after)
    return Standing(current, chunk, before, after)


def review_columns(chunk: Chunk, scored: Sequence[Scored]) -> dict[str, object]:
    """Return the columns of `reviews`."""
    written_at = [chunk.written_at(review) for review, _, _ in scored]
    return {
        "source": chunk.source,
        "review_id": [review.review_id for review, _, _ in scored],
        "text": [review.text for review, _, _ in scored],
        "text_hash": [digest for _, _, digest in scored],
        "submitted_at": chunk.submitted_at,
        "batch_id": chunk.batch_id,
        # Mostly one for all, or none at all: then it is no list.
        "written_at": written_at if len(set(written_at)) > 1 else next(iter(written_at), None),
    }


def _bring_times(
    connection: Connection, chunk: Chunk, scored: Sequence[Scored], before: dict[str, Stored]
) -> None:
    """Set when reviews were written whose text is stored already."""
    bring = [
        row
        for row in scored
        if chunk.written_at(row[0]) is not None and _has_text(before[row[0].review_id], row[2])
    ]
    if bring:
        columns = review_columns(chunk, bring)
        upsert(
            connection,
            tables.reviews,
            columns,
            update_where=_NEWER_TIME,
            updating=("written_at",),
        )


def _has_text(stored: Stored | None, digest: str) -> bool:
    return stored is not None and stored.text_hash == digest


def _stored(connection: Connection, source: str, scored: Sequence[Scored]) -> dict[str, Stored]:
    table = tables.reviews.c
    query = (
        select(table.review_id, table.text_hash, table.submitted_at, table.text, table.written_at)
        .where(
            table.source == source,
            table.review_id.in_([review.review_id for review, _, _ in scored]),
        )
        .order_by(table.review_id)
        .with_for_update()  # no newer text may arrive until the rows are written
    )
    return {key: Stored(*values) for key, *values in connection.execute(query)}


def _remember(
    connection: Connection, chunk: Chunk, review_ids: Sequence[str], after: dict[str, Stored]
) -> None:
    """Record whose text was submitted again unchanged: an older one must not win later."""
    again = [
        key for key in review_ids if key in after and after[key].submitted_at < chunk.submitted_at
    ]
    if again:
        upsert(
            connection,
            tables.resubmissions,
            {"source": chunk.source, "review_id": again, "submitted_at": chunk.submitted_at},
            update_where="excluded.submitted_at > resubmissions.submitted_at",
        )
