"""The sums over the reviews of each day: most are kept, those by probability are read from rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, select

from iyu.console.trust.drift.figures import BINS, DaySums
from iyu.console.trust.drift.shuffled_days import Floats
from iyu.console.trust.drift.sides import Side
from iyu.schemas.sql.review_day import day_sql
from iyu.schemas.sql.tables import predictions, review_days, reviews

_KEPT: Final = (
    "reviews",
    "positive_reviews",
    "tokens",
    "unknown_tokens",
    "truncated_reviews",
)
#: Both cut off what is behind the point; PostgreSQL's cast would round.
_BIN: Final = {
    "sqlite": f"CAST(predictions.probability * {BINS} AS integer)",
    "postgresql": f"floor(predictions.probability * {BINS})",
}


@dataclass(frozen=True, slots=True)
class Days:
    """The days of one side that have reviews, and their sums."""

    days: Sequence[date]
    sums: DaySums


def read_days(connection: Connection, model_version: str, side: Side) -> Days:
    """Return the sums of a side's days that have reviews with a score of this model."""
    d = review_days.c
    query = (
        select(d.day, *(func.sum(d[name]) for name in _KEPT))
        .where(d.model_version == model_version, side.of(review_days))
        .group_by(d.day)
        .having(func.sum(d.reviews) > 0)
        .order_by(d.day)
    )
    rows = connection.execute(query).all()
    days = [row[0] for row in rows]
    kept = np.array([[float(value) for value in row[1:]] for row in rows]).reshape(-1, len(_KEPT))
    in_bin, probability = _by_probability(connection, model_version, side, days)
    return Days(
        days,
        DaySums(
            reviews=kept[:, 0],
            positive_reviews=kept[:, 1],
            tokens=kept[:, 2],
            unknown_tokens=kept[:, 3],
            truncated_reviews=kept[:, 4],
            in_bin=in_bin,
            probability_in_bin=probability,
        ),
    )


def together(window: Days, reference: Days) -> tuple[DaySums, Any]:
    """Return the days of both sides, and which of them are the window's."""
    names = DaySums.__dataclass_fields__
    pairs = ((getattr(window.sums, name), getattr(reference.sums, name)) for name in names)
    in_window = np.arange(len(window.days) + len(reference.days)) < len(window.days)
    return DaySums(*(np.concatenate(pair) for pair in pairs)), in_window


def _by_probability(
    connection: Connection, model_version: str, side: Side, days: Sequence[date]
) -> tuple[Floats, Floats]:
    """Return how many reviews have which probability on each day, and the sums of these."""
    dialect = connection.dialect.name
    p, r = predictions.c, reviews.c
    day: ColumnElement[Any] = literal_column(day_sql(dialect, "reviews"))
    place: ColumnElement[Any] = literal_column(_BIN[dialect])
    query = (
        select(day, place, func.count(), func.sum(p.probability))
        .join_from(
            reviews,
            predictions,
            and_(p.source == r.source, p.review_id == r.review_id, p.text_hash == r.text_hash),
        )
        .where(p.model_version == model_version, side.of_reviews())
        .group_by(day, place)
    )
    numbers = {found.isoformat(): number for number, found in enumerate(days)}
    counts, sums = np.zeros((len(days), BINS)), np.zeros((len(days), BINS))
    for name, found, count, total in connection.execute(query):
        if (number := numbers.get(str(name))) is not None:
            counts[number, min(int(found), BINS - 1)] += count
            sums[number, min(int(found), BINS - 1)] += total
    return counts, sums
