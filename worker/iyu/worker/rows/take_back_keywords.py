"""What a chunk changes in the daily sums of words.

An explanation counts while it is of its review's present text, under the review's day.
New reviews, nearly all of them, only add; for the others, what counted so far is read and taken
back. It has to run before predictions and explanations are written.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from iyu.schemas.sql.heat_columns import StoredHeat, unpack_tokens
from iyu.schemas.sql.review_day import day_of
from iyu.schemas.sql.tables import explanations, predictions
from iyu.worker.rows.count_keywords import Tally
from iyu.worker.rows.keep_newer_text import Standing


def count_changes(
    connection: Connection, source: str, standing: Standing, model_version: str, tally: Tally
) -> None:
    """Count what the current reviews add, and take back what replaced texts had added."""
    counted: set[tuple[str, str]] = set()  # (review_id, method) of this model, counted already
    if standing.before:
        counted = _recount(connection, source, standing, model_version, tally)
    for review, prediction, _ in standing.current:
        moment = standing.day_at(review)
        for explanation in prediction.explanations:
            if (review.review_id, explanation.method) not in counted:
                key, m = (model_version, explanation.method), explanation.morphemes
                label, heats = prediction.label, explanation.counted_heats
                tally.add(key, moment, label, m.surfaces, m.tags, heats, m.numbers)


def _recount(
    connection: Connection, source: str, standing: Standing, model_version: str, tally: Tally
) -> set[tuple[str, str]]:
    """Take back what counted for replaced texts; return what counts already and stays."""
    stays = set()
    for review_id, version, method, digest, label, *heat in _stored(connection, source, standing):
        old, new = standing.before[review_id], standing.after[review_id]
        stored = StoredHeat(*heat)
        key = version, method
        changes = old.text_hash != new.text_hash or day_of(old.day_at) != day_of(new.day_at)
        if changes and digest == old.text_hash:
            tally.add(key, old.day_at, label, *_columns(stored, old.text), sign=-1)
        if digest == new.text_hash:
            if changes:  # it is on another day, or a text that had been replaced came back
                tally.add(key, new.day_at, label, *_columns(stored, new.text))
            if version == model_version:
                stays.add((review_id, method))
    return stays


def _stored(connection: Connection, source: str, standing: Standing) -> Sequence[Any]:
    e, p = explanations.c, predictions.c
    scored = (
        (p.source == e.source)
        & (p.review_id == e.review_id)
        & (p.model_version == e.model_version)
        & (p.text_hash == e.text_hash)
    )
    heat = (e[name] for name in StoredHeat._fields)
    columns = e.review_id, e.model_version, e.method, e.text_hash, p.label, *heat
    query = (
        select(*columns)
        .select_from(explanations.join(predictions, scored))
        .where(e.source == source, e.review_id.in_(list(standing.before)))
    )
    return connection.execute(query).all()


def _columns(stored: StoredHeat, text: str) -> tuple[list[str], list[str], list[float | None]]:
    """Return surfaces, tags and the heats that count of a stored heatmap."""
    tokens = unpack_tokens(stored, text)
    heats = [None if t.get("address") else t["heat"] for t in tokens]
    return [t["surface"] for t in tokens], [t["pos"] for t in tokens], heats
