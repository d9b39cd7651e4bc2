"""Scored reviews of a stretch of days, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Groups may hold reviews of a day in this ratio; beyond it the larger one is thinned.
MOST_UNEVEN: Final = 2.0


@dataclass(frozen=True, slots=True)
class Reviews:
    """Columns of reviews, all (reviews,); `day` numbers the days that hold any, from 0."""

    day: NDArray[np.int64]
    probability: Floats  # of positive
    tokens: Floats
    unknown: Floats  # tokens that the vocabulary does not know
    truncated: Floats  # 1 where tokens lie outside the model's window
    length: Floats  # characters

    def __len__(self) -> int:
        """Return the number of reviews."""
        return len(self.day)

    @property
    def days(self) -> int:
        """How many days hold reviews."""
        return len(np.unique(self.day))

    def of(self, chosen: NDArray[Any]) -> "Reviews":
        """Return the chosen reviews, their days numbered anew."""
        _, day = np.unique(self.day[chosen], return_inverse=True)
        columns = (self.probability, self.tokens, self.unknown, self.truncated, self.length)
        return Reviews(day.astype(np.int64), *(column[chosen] for column in columns))


def number_days(days: Sequence[date]) -> NDArray[np.int64]:
    """Return each review's day as a number from 0, days without reviews left out."""
    _, numbers = np.unique(np.array(days, dtype="datetime64[D]"), return_inverse=True)
    return numbers.astype(np.int64)


def choose_even(
    window: Reviews, reference: Reviews, most: float = MOST_UNEVEN, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which reviews to compare: of the group with much fuller days, a random part.

    Days of twenty reviews differ more than days of two thousand. Dealt into one another they would
    hide how much the small ones differ by chance.
    """
    draw = np.random.default_rng(seed)
    per_day = len(window) / window.days, len(reference) / reference.days
    least = min(per_day)
    chosen = []
    for group, full in zip((window, reference), per_day, strict=True):
        share = min(1.0, most * least / full)
        lot = draw.random(len(group))
        kept = np.flatnonzero(lot < share)
        chosen.append(kept if len(kept) else np.arange(len(group)))
    return chosen[0], chosen[1]


def first_day(last: date, days: int) -> date:
    """Return the first of so many days that end with the last."""
    return last - timedelta(days=days - 1)
