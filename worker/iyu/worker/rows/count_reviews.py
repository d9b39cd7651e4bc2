"""What a chunk adds to the daily sums of reviews."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from iyu.schemas.sql.review_day import day_of
from iyu.schemas.sql.review_days import ALL_MODELS, SUMS


class Score(NamedTuple):
    """What a review's score adds."""

    label: int
    token_count: int
    unknown_count: int
    truncated: bool
    probability: float


class ReviewTally:
    """Sums by day and model; all reviews of one source."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._sums: dict[tuple[str, str], list[Any]] = {}

    def add(
        self, moment: datetime, model_version: str, scores: Iterable[Score], sign: int = 1
    ) -> None:
        """Count scores of one model and one moment, or with sign −1 take them back."""
        sums = self._sums_of(moment, model_version)
        for label, tokens, unknown, truncated, probability in scores:
            sums[0] += sign
            sums[1] += sign * label
            sums[2] += sign * tokens
            sums[3] += sign * unknown
            sums[4] += sign * truncated
            sums[5] += sign * probability
            sums[6] += sign * probability * probability

    def add_once(self, moment: datetime, reviews: int) -> None:
        """Count reviews that no model had scored before, or that no model has any more (< 0)."""
        self._sums_of(moment, ALL_MODELS)[0] += reviews

    def rows(self) -> list[list[Any]]:
        """Return [source, day, model_version, its sums] each, without those that add nothing."""
        return [
            [self._source, *key, *sums] for key, sums in sorted(self._sums.items()) if any(sums)
        ]

    def _sums_of(self, moment: datetime, model_version: str) -> list[Any]:
        key = day_of(moment).isoformat(), model_version
        return self._sums.setdefault(key, [0] * len(SUMS))
