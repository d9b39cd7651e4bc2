"""Predictions to rows: one transaction a chunk, the same rows however often it is written."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from iyu.schemas.contract.message import Chunk, Rescore
from iyu.schemas.contract.review import text_hash, utc_now
from iyu.schemas.ledger.dead_letters import resolve
from iyu.schemas.results.events import record_scored
from iyu.schemas.sql import tables
from iyu.schemas.sql.heat_columns import NO_TOKENS
from iyu.schemas.sql.upsert import insert_new, insert_or_upsert, upsert
from iyu.worker.rows.count_keywords import Tally
from iyu.worker.rows.keep_newer_text import Scored, keep_newer_text, review_columns
from iyu.worker.rows.take_back_keywords import count_changes
from iyu.worker.rows.take_back_scores import count_scores
from iyu.worker.scoring import Prediction

#: `upsert`, or what does the same faster for rows that are new.
WriteRows = Callable[..., object]

_OTHER_TEXT = "excluded.text_hash <> {table}.text_hash"


def write(
    connection: Connection, chunk: Chunk, predictions: Sequence[Prediction], model_version: str
) -> int | None:
    """Write a chunk's reviews, predictions and explanations.

    predictions: one for each of `chunk.reviews`. A review that has a newer text by now is left out.
    Returns the id of the row in `day_deltas`, None if the chunk adds nothing.
    """
    hashes = [text_hash(review.text) for review in chunk.reviews]
    # Sorted keys: two workers that write the same reviews cannot deadlock.
    scored = sorted(
        zip(chunk.reviews, predictions, hashes, strict=True), key=lambda row: row[0].review_id
    )
    added: frozenset[str] = frozenset()
    if not isinstance(chunk.purpose, Rescore):
        columns = review_columns(chunk, scored)
        added = insert_new(connection, tables.reviews, "review_id", columns)
    standing = keep_newer_text(connection, chunk, scored, added)
    current = standing.current
    if not current:
        return None
    tally = Tally(chunk.source)
    count_changes(connection, chunk.source, standing, model_version, tally)
    count_scores(connection, chunk.source, standing, model_version, tally.reviews)
    now = utc_now()
    # Of reviews that are new, nothing is there that could be updated.
    write_rows = insert_or_upsert if len(added) == len(current) else upsert
    _write_predictions(connection, write_rows, chunk.source, current, model_version, now)
    _write_explanations(connection, write_rows, chunk.source, current, model_version)
    review_ids = [review.review_id for review, _, _ in current]
    resolve(connection, chunk.source, review_ids, chunk.submitted_at)
    record_scored(connection, chunk.source, model_version, review_ids)
    return tally.write(connection)


def register_model(
    connection: Connection,
    model_version: str,
    manifest: Mapping[str, Any],
    *,
    activate: bool = True,
) -> None:
    """Add a model to `models`; the views show it from the first time that it serves (activate)."""
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


def _write_predictions(
    connection: Connection,
    write_rows: WriteRows,
    source: str,
    scored: Sequence[Scored],
    model_version: str,
    now: datetime,
) -> None:
    predictions = [prediction for _, prediction, _ in scored]
    write_rows(
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
    connection: Connection,
    write_rows: WriteRows,
    source: str,
    scored: Sequence[Scored],
    model_version: str,
) -> None:
    rows = [
        (review.review_id, explanation, digest)
        for review, prediction, digest in scored
        for explanation in prediction.explanations
    ]
    explanations = [explanation for _, explanation, _ in rows]
    write_rows(
        connection,
        tables.explanations,
        {
            "source": source,
            "review_id": [review_id for review_id, _, _ in rows],
            "model_version": model_version,
            "method": [e.method for e in explanations],
            "layers": [e.layers for e in explanations],
            "target": [e.target for e in explanations],
            "tokens": NO_TOKENS,
            "comprehensiveness": [e.comprehensiveness for e in explanations],
            "sufficiency": [e.sufficiency for e in explanations],
            "pad_heat": [e.pad_heat for e in explanations],
            "completeness_gap": [e.completeness_gap for e in explanations],
            "text_hash": [digest for _, _, digest in rows],
            "starts": [e.morphemes.starts for e in explanations],
            "ends": [e.morphemes.ends for e in explanations],
            "tags": [e.morphemes.tags for e in explanations],
            "heats": [e.heats for e in explanations],
            "addresses": [sorted(e.addresses) or None for e in explanations],
        },
        update_where=_OTHER_TEXT.format(table="explanations"),
    )
