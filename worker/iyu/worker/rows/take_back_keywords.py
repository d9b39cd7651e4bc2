"""What a chunk changes in the daily sums of words and reviews.

A score and its explanations count while they are of their review's present text, under that text's
day. New reviews, nearly all of them, only add; for the others, what counted so far is read and
taken back. It has to run before predictions and explanations are written.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select

from iyu.schemas.sql.tables import explanations, predictions
from iyu.worker.rows.count_keywords import Tally
from iyu.worker.rows.count_reviews import Score
from iyu.worker.rows.keep_newer_text import Scored, Standing
from iyu.worker.scoring import Prediction


def count_changes(
    connection: Connection, source: str, standing: Standing, model_version: str, tally: Tally
) -> None:
    """Count what the current reviews add, and take back what replaced texts had added."""
    counted: set[tuple[str, str]] = set()  # (review_id, method) of this model, counted already
    if standing.before:
        counted = _recount(connection, source, standing, model_version, tally)
        _recount_reviews(connection, source, standing, model_version, tally)
    else:
        _count_new(standing.current, standing, model_version, tally)
    for review, prediction, _ in standing.current:
        _, moment = standing.after.get(review.review_id, ("", standing.submitted_at))
        for explanation in prediction.explanations:
            if (review.review_id, explanation.method) not in counted:
                key, m = (model_version, explanation.method), explanation.morphemes
                label, heats = prediction.label, explanation.counted_heats
                tally.add(key, moment, label, m.surfaces, m.tags, heats, m.numbers)


def _count_new(
    scored: Sequence[Scored], standing: Standing, model_version: str, tally: Tally
) -> None:
    """Count reviews that were not there before."""
    if scored:
        moment = standing.submitted_at
        tally.reviews.add(moment, model_version, (_score(p) for _, p, _ in scored))
        tally.reviews.add_once(moment, len(scored))


def _recount_reviews(
    connection: Connection, source: str, standing: Standing, model_version: str, tally: Tally
) -> None:
    """Take back the scores of replaced texts; count those of present ones that count not yet."""
    taken_back: set[str] = set()  # reviews whose old text some model had scored
    present: set[str] = set()  # whose present text some model has scored before
    stays: set[str] = set()  # which this model has scored before
    for review_id, version, digest, *figures in _stored_scores(connection, source, standing.before):
        old, new = standing.before[review_id], standing.after[review_id]
        if old[0] != new[0] and digest == old[0]:
            tally.reviews.add(old[1], version, [Score(*figures)], -1)
            taken_back.add(review_id)
        elif digest == new[0]:
            if old[0] != new[0]:  # a text that had been replaced came back
                tally.reviews.add(new[1], version, [Score(*figures)])
            present.add(review_id)
            if version == model_version:
                stays.add(review_id)
    for review_id in taken_back:
        tally.reviews.add_once(standing.before[review_id][1], -1)
    new_ones = [row for row in standing.current if row[0].review_id not in standing.before]
    _count_new(new_ones, standing, model_version, tally)
    for review, prediction, _ in standing.current:
        if (key := review.review_id) not in standing.before:
            continue
        moment = standing.after[key][1]
        if key not in stays:
            tally.reviews.add(moment, model_version, [_score(prediction)])
        was_counted = key in present and standing.before[key][0] == standing.after[key][0]
        if not was_counted:
            tally.reviews.add_once(moment, 1)


def _recount(
    connection: Connection, source: str, standing: Standing, model_version: str, tally: Tally
) -> set[tuple[str, str]]:
    """Take back what counted for replaced texts; return what counts already and stays."""
    stays = set()
    for review_id, version, method, digest, tokens, label in _stored(connection, source, standing):
        old, new = standing.before[review_id], standing.after[review_id]
        key = version, method
        if old[0] != new[0] and digest == old[0]:
            tally.add(key, old[1], label, *_columns(tokens), sign=-1)
        elif digest == new[0]:
            if old[0] != new[0]:  # a text that had been replaced came back
                tally.add(key, new[1], label, *_columns(tokens))
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
    columns = e.review_id, e.model_version, e.method, e.text_hash, e.tokens, p.label
    query = (
        select(*columns)
        .select_from(explanations.join(predictions, scored))
        .where(e.source == source, e.review_id.in_(list(standing.before)))
    )
    return connection.execute(query).all()


def _stored_scores(connection: Connection, source: str, ids: Iterable[str]) -> Sequence[Any]:
    """Return review_id, model_version, text_hash and a Score's columns of stored predictions."""
    p = predictions.c
    figures = p.label, p.token_count, p.unknown_count, p.truncated, p.probability
    query = select(p.review_id, p.model_version, p.text_hash, *figures).where(
        p.source == source, p.review_id.in_(list(ids))
    )
    return connection.execute(query).all()


def _score(p: Prediction) -> Score:
    return Score(p.label, p.token_count, p.unknown_count, p.truncated, p.probability)


def _columns(stored: Any) -> tuple[list[str], list[str], list[float | None]]:
    """Return surfaces, tags and the heats that count of a stored heatmap."""
    tokens = orjson.loads(stored) if isinstance(stored, str) else stored
    heats = [None if t.get("address") else t["heat"] for t in tokens]
    return [t["surface"] for t in tokens], [t["pos"] for t in tokens], heats
