"""Reviews to rows: a newer text replaces an older one, and never the other way round."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

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

Scored = tuple[Review, Prediction, str]  # with the hash of its text
#: A stored review: the hash of its text, when that text was submitted, and the text.
Stored = tuple[str, datetime, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """Which of a chunk's reviews have their present text in it."""

    current: Sequence[Scored]  # those whose text is the present one
    submitted_at: datetime  # of those that are new
    #: Of those that were there already: what was stored before and after, by review_id.
    before: dict[str, Stored] = field(default_factory=dict)
    after: dict[str, Stored] = field(default_factory=dict)


def keep_newer_text(
    connection: Connection, chunk: Chunk, scored: Sequence[Scored], added: frozenset[str]
) -> Standing:
    """Update the reviews that were not added; their rows stay locked to the transaction's end.

    A rescored chunk updates none, and a review that was deleted meanwhile stays deleted.
    """
    known = [row for row in scored if row[0].review_id not in added]
    if not known:
        return Standing(scored, chunk.submitted_at)
    before = after = _stored(connection, chunk.source, known)
    if not isinstance(chunk.purpose, Rescore):
        columns = review_columns(chunk, known)
        upsert(connection, tables.reviews, columns, update_where=_NEWER_TEXT)
        after = _stored(connection, chunk.source, known)
    current = [
        row
        for row in scored
        if row[0].review_id in added or after.get(row[0].review_id, ("",))[0] == row[2]
    ]
    _remember(connection, chunk, [row[0].review_id for row in current], after)
    return Standing(current, chunk.submitted_at, before, after)


def review_columns(chunk: Chunk, scored: Sequence[Scored]) -> dict[str, object]:
    """Return the columns of `reviews`."""
    return {
        "source": chunk.source,
        "review_id": [review.review_id for review, _, _ in scored],
        "text": [review.text for review, _, _ in scored],
        "text_hash": [digest for _, _, digest in scored],
        "submitted_at": chunk.submitted_at,
        "batch_id": chunk.batch_id,
    }


def _stored(connection: Connection, source: str, scored: Sequence[Scored]) -> dict[str, Stored]:
    table = tables.reviews.c
    query = (
        select(table.review_id, table.text_hash, table.submitted_at, table.text)
        .where(
            table.source == source,
            table.review_id.in_([review.review_id for review, _, _ in scored]),
        )
        .order_by(table.review_id)
        .with_for_update()  # no newer text may arrive until the rows are written
    )
    found = connection.execute(query)
    return {row.review_id: (row.text_hash, row.submitted_at, row.text) for row in found}


def _remember(
    connection: Connection, chunk: Chunk, review_ids: Sequence[str], after: dict[str, Stored]
) -> None:
    """Record whose text was submitted again unchanged: an older one must not win later."""
    again = [key for key in review_ids if key in after and after[key][1] < chunk.submitted_at]
    if again:
        upsert(
            connection,
            tables.resubmissions,
            {"source": chunk.source, "review_id": again, "submitted_at": chunk.submitted_at},
            update_where="excluded.submitted_at > resubmissions.submitted_at",
        )
