"""What a chunk changes in the daily sums of reviews.

A score counts while it is of its review's present text, under the review's day: for reviews that
were there before, what counted so far is read and taken back. It has to run before predictions are
written.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from iyu.schemas.sql.review_day import day_of
from iyu.schemas.sql.tables import predictions
from iyu.worker.rows.count_reviews import ReviewTally, Score
from iyu.worker.rows.keep_newer_text import Scored, Standing
from iyu.worker.scoring import Prediction


def count_scores(
    connection: Connection, source: str, standing: Standing, model_version: str, tally: ReviewTally
) -> None:
    """Count what the current reviews add, and take back what replaced texts had added."""
    new: dict[datetime, list[Score]] = defaultdict(list)  # mostly of one time
    for review, prediction, _ in standing.current:
        if review.review_id not in standing.before:
            new[standing.day_at(review)].append(_score(prediction))
    for moment, scores in new.items():
        tally.add(moment, model_version, scores)
        tally.add_once(moment, len(scores))
    if standing.before:
        known = [row for row in standing.current if row[0].review_id in standing.before]
        stored = _stored_scores(connection, source, standing)
        _count_known(stored, known, standing, tally, model_version)


def _count_known(
    stored: Sequence[Any],
    known: Sequence[Scored],
    standing: Standing,
    tally: ReviewTally,
    model_version: str,
) -> None:
    """Count what changes of reviews that were there before."""
    counts = _count_stored(stored, standing, tally)
    for review, prediction, _ in known:
        if (key := (review.review_id, model_version)) not in counts:
            counts.add(key)
            tally.add(standing.day_at(review), model_version, [_score(prediction)])
    for review_id in {review_id for review_id, _ in counts}:
        tally.add_once(standing.after[review_id].day_at, 1)


def _count_stored(
    stored: Sequence[Any], standing: Standing, tally: ReviewTally
) -> set[tuple[str, str]]:
    """Take back scores of replaced texts, and move those of reviews that are on another day now.

    Returns whose text of now has a score, and of which model.

    Each review that was counted once is taken back once; whoever still has a score is counted anew.
    """
    counted: set[str] = set()
    counts: set[tuple[str, str]] = set()
    for review_id, version, digest, *figures in stored:
        old, new = standing.before[review_id], standing.after[review_id]
        changes = old.text_hash != new.text_hash or day_of(old.day_at) != day_of(new.day_at)
        if digest == old.text_hash:
            counted.add(review_id)
            if changes:
                tally.add(old.day_at, version, [Score(*figures)], -1)
        if digest == new.text_hash:
            counts.add((review_id, version))
            if changes:  # it is on another day, or a text that had been replaced came back
                tally.add(new.day_at, version, [Score(*figures)], 1)
    for review_id in counted:
        tally.add_once(standing.before[review_id].day_at, -1)
    return counts


def _stored_scores(connection: Connection, source: str, standing: Standing) -> Sequence[Any]:
    """Return review_id, model_version, text_hash and a Score's columns of stored predictions."""
    p = predictions.c
    figures = p.label, p.token_count, p.unknown_count, p.truncated, p.probability
    query = select(p.review_id, p.model_version, p.text_hash, *figures).where(
        p.source == source, p.review_id.in_(list(standing.before))
    )
    return connection.execute(query).all()


def _score(p: Prediction) -> Score:
    return Score(p.label, p.token_count, p.unknown_count, p.truncated, p.probability)
