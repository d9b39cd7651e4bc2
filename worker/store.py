"""Predictions to rows: one transaction a chunk, the same rows however often it is written."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from schemas import tables
from schemas.dead_letters import resolve
from schemas.message import Chunk, rescored_version
from schemas.review import Review, text_hash, utc_now
from schemas.upsert import upsert
from worker.scoring import Prediction

#: A newer text replaces an older one; the same text changes nothing, whenever it comes.
_NEWER_TEXT = """
    excluded.text_hash <> reviews.text_hash
    AND excluded.submitted_at > reviews.submitted_at
    AND NOT EXISTS (
        SELECT 1 FROM resubmissions AS again
        WHERE again.source = excluded.source AND again.review_id = excluded.review_id
          AND again.submitted_at >= excluded.submitted_at
    )
"""
_OTHER_TEXT = "excluded.text_hash <> {table}.text_hash"

Scored = tuple[Review, Prediction, str]  # with the hash of its text


def write(
    connection: Connection, chunk: Chunk, predictions: Sequence[Prediction], model_version: str
) -> None:
    """Write a chunk's reviews, predictions and explanations.

    predictions: one for each of `chunk.reviews`. A review that has a newer text by now is left out.
    """
    hashes = [text_hash(review.text) for review in chunk.reviews]
    # Sorted keys: two workers that write the same reviews wait for each other, never in a ring.
    scored = sorted(
        zip(chunk.reviews, predictions, hashes, strict=True), key=lambda row: row[0].review_id
    )
    if not scored:
        return
    if rescored_version(chunk.queue):  # of stored reviews, and one that is gone stays gone
        current = _same_text(connection, chunk, scored)
    else:
        current = _write_reviews(connection, chunk, scored)
    if not current:
        return
    now = utc_now()
    _write_predictions(connection, chunk.source, current, model_version, now)
    _write_explanations(connection, chunk.source, current, model_version)
    review_ids = [review.review_id for review, _, _ in current]
    resolve(connection, chunk.source, review_ids, chunk.submitted_at)


def register_model(
    connection: Connection,
    model_version: str,
    manifest: Mapping[str, Any],
    *,
    activate: bool = True,
) -> None:
    """Write a model down; the views show it from the first time that it serves (activate)."""
    known = connection.execute(
        select(tables.models.c.activated_at).where(tables.models.c.model_version == model_version)
    ).first()
    if known and (known.activated_at or not activate):
        return
    upsert(
        connection,
        tables.models,
        {
            "model_version": [model_version],
            "name": [manifest["preset"]],
            "created_at": datetime.fromisoformat(manifest["created_at"]),
            "activated_at": utc_now() if activate else None,
            "manifest": [orjson.dumps(manifest).decode()],
        },
        update_where="models.activated_at IS NULL",  # another worker may be faster
    )


def _write_reviews(
    connection: Connection, chunk: Chunk, scored: Sequence[Scored]
) -> Sequence[Scored]:
    """Return those whose text is the current one afterwards."""
    written = upsert(
        connection,
        tables.reviews,
        {
            "source": chunk.source,
            "review_id": [review.review_id for review, _, _ in scored],
            "text": [review.text for review, _, _ in scored],
            "text_hash": [digest for _, _, digest in scored],
            "submitted_at": chunk.submitted_at,
            "batch_id": chunk.batch_id,
        },
        update_where=_NEWER_TEXT,
    )
    if written == len(scored):
        return scored
    return _same_text(connection, chunk, scored)


def _same_text(connection: Connection, chunk: Chunk, scored: Sequence[Scored]) -> Sequence[Scored]:
    """Return those whose text stands in the table, and remember that it was submitted again."""
    table = tables.reviews.c
    stored = {
        row.review_id: (row.text_hash, row.submitted_at)
        for row in connection.execute(
            select(table.review_id, table.text_hash, table.submitted_at)
            .where(
                table.source == chunk.source,
                table.review_id.in_([review.review_id for review, _, _ in scored]),
            )
            .order_by(table.review_id)
            .with_for_update(read=True)  # no newer text may come until the rows are written
        )
    }
    same = [row for row in scored if stored.get(row[0].review_id, ("",))[0] == row[2]]
    again = [r.review_id for r, _, _ in same if stored[r.review_id][1] < chunk.submitted_at]
    if again:
        upsert(
            connection,
            tables.resubmissions,
            {
                "source": chunk.source,
                "review_id": again,
                "submitted_at": chunk.submitted_at,
            },
            update_where="excluded.submitted_at > resubmissions.submitted_at",
        )
    return same


def _write_predictions(
    connection: Connection,
    source: str,
    scored: Sequence[Scored],
    model_version: str,
    now: datetime,
) -> None:
    predictions = [prediction for _, prediction, _ in scored]
    upsert(
        connection,
        tables.predictions,
        {
            "source": source,
            "review_id": [review.review_id for review, _, _ in scored],
            "model_version": model_version,
            "probability": [p.probability for p in predictions],
            "logit": [p.logit for p in predictions],
            "label": [p.label for p in predictions],
            "token_count": [p.token_count for p in predictions],
            "unknown_count": [p.unknown_count for p in predictions],
            "truncated": [p.truncated for p in predictions],
            "text_hash": [digest for _, _, digest in scored],
            "scored_at": now,
        },
        update_where=_OTHER_TEXT.format(table="predictions"),
    )


def _write_explanations(
    connection: Connection, source: str, scored: Sequence[Scored], model_version: str
) -> None:
    rows = [
        (review.review_id, explanation, digest)
        for review, prediction, digest in scored
        for explanation in prediction.explanations
    ]
    explanations = [explanation for _, explanation, _ in rows]
    upsert(
        connection,
        tables.explanations,
        {
            "source": source,
            "review_id": [review_id for review_id, _, _ in rows],
            "model_version": model_version,
            "method": [e.method for e in explanations],
            "layers": [e.layers for e in explanations],
            "target": [e.target for e in explanations],
            "tokens": [orjson.dumps(e.tokens).decode() for e in explanations],
            "comprehensiveness": [e.comprehensiveness for e in explanations],
            "sufficiency": [e.sufficiency for e in explanations],
            "pad_heat": [e.pad_heat for e in explanations],
            "completeness_gap": [e.completeness_gap for e in explanations],
            "text_hash": [digest for _, _, digest in rows],
        },
        update_where=_OTHER_TEXT.format(table="explanations"),
    )
