"""Words with the interval of their mean heat, and the strongest on either side."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from iyu.console.web.queries.answer import Record

#: Reviews of the period that must hold a word: this share, at least so many.
MIN_SHARE: Final = 1 / 1_000
MIN_REVIEWS: Final = 5
#: Days below which days say nothing of how far the mean may be off.
MIN_DAYS: Final = 3
#: 97.5 % points of Student's t with 2, 3, … degrees of freedom; beyond, the normal one is near.
_T: Final = (4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
             2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060,
             2.056, 2.052, 2.048, 2.045)  # fmt: skip
_NORMAL: Final = 1.96


@dataclass(frozen=True, slots=True)
class WordFigure:
    """A word over a period."""

    surface: str
    pos: str
    reviews: int
    negative_share: float
    total_heat: float
    mean_heat: float  # an occurrence
    low: float | None  # 95 % interval of mean_heat; None: too few days
    high: float | None

    @property
    def is_sure(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def least_reviews(reviews: int) -> int:
    """Return how many reviews must hold a word, of so many in the period."""
    return max(MIN_REVIEWS, round(MIN_SHARE * reviews))


def word_figure(row: Record) -> WordFigure:
    """Return a row of `rank_words` with its interval."""
    low, high = _interval(row)
    return WordFigure(
        row["surface"],
        row["pos"],
        row["reviews"],
        row["negative_reviews"] / row["reviews"],
        row["total_heat"],
        row["mean_heat"],
        low,
        high,
    )


def strongest(
    rows: Sequence[Record], order: str, most: int
) -> tuple[list[WordFigure], list[WordFigure]]:
    """Return the words that pull up and down most, by total or mean heat, the strongest first.

    A word whose interval holds zero is left out; one of too few days to say is not.
    """
    value: Any = (lambda word: word.mean_heat) if order == "mean" else (lambda w: w.total_heat)
    words = sorted(map(word_figure, rows), key=value)
    kept = [word for word in words if word.is_sure or word.low is None]
    down = [word for word in kept if word.mean_heat < 0][:most]
    up = [word for word in reversed(kept) if word.mean_heat > 0][:most]
    return up, down


def _interval(row: Record) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a ratio of sums, with days as the units that vary.

    Reviews of one day resemble each other; days are what chance draws anew.
    Source: Cochran 1977, Sampling Techniques, §6.4 (ratio estimate, variance by linearisation).
    """
    days, mean, times = row["days"], row["mean_heat"], row["occurrences"]
    if days < MIN_DAYS:
        return None, None
    squares = (
        row["heat_by_heat"] - 2 * mean * row["heat_by_times"] + mean**2 * row["times_by_times"]
    )
    spread = sqrt(max(squares, 0.0) * days / (days - 1)) / times
    student = _T[days - 3] if days - 3 < len(_T) else _NORMAL
    return mean - student * spread, mean + student * spread
