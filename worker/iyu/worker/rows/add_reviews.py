"""The reviews of many deltas: summed, and added to `review_days`."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete

from iyu.schemas.sql.review_days import SUMS
from iyu.schemas.sql.tables import review_days
from iyu.schemas.sql.upsert import upsert

Key = tuple[str, str, str]  # source, day, model_version
ReviewSums = dict[Key, list[Any]]  # of each key SUMS


def sum_reviews(rows: Iterable[list[Any]]) -> ReviewSums:
    """Sum rows as `ReviewTally` writes them; keys are sorted."""
    sums: ReviewSums = {}
    for source, day, version, *figures in rows:
        known = sums.setdefault((source, day, version), [0] * len(SUMS))
        for number, figure in enumerate(figures):
            known[number] += figure
    return dict(sorted(sums.items()))


def add_reviews(connection: Connection, sums: ReviewSums) -> None:
    """Add to `review_days`."""
    if not sums:
        return
    sources, days, versions = map(list, zip(*sums, strict=True))
    columns: dict[str, Any] = {"source": sources, "day": days, "model_version": versions}
    figures = map(list, zip(*sums.values(), strict=True))
    upsert(connection, review_days, columns | dict(zip(SUMS, figures, strict=True)), adding=SUMS)
    if any(reviews <= 0 for reviews, *_ in sums.values()):
        d = review_days.c  # below zero: what it lacks is in a delta that is yet to be added
        connection.execute(delete(review_days).where(d.reviews == 0, d.tokens == 0))
