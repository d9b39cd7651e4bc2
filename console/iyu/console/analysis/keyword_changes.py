"""Two models on the same reviews: the words whose heat has changed most."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from iyu.console.analysis.keyword_ranking import Collected, resampled_means


@dataclass(frozen=True, slots=True)
class Change:
    """A word's mean heat under two models, each in units of its model's usual heat."""

    surface: str
    pos: str
    reviews: int
    before: float
    after: float
    low: float  # 95 % bootstrap interval of after − before, over reviews
    high: float

    @property
    def difference(self) -> float:
        """How far the word has moved."""
        return self.after - self.before


def changes(before: Collected, after: Collected, *, min_reviews: int, top: int) -> list[Change]:
    """Return the words that moved most, surely: the interval lies on one side of zero.

    Both collected from the same reviews in the same order, so that a resample draws the same
    reviews of both. Logits of two models need not have one scale: heat is divided by the root of
    its mean square over all words.
    """
    scales = _scale(before), _scale(after)
    words = [
        word
        for word, found in before.words.items()
        if len(found.reviews) >= min_reviews
        and word in after.words
        and found.reviews == after.words[word].reviews
    ]
    found = [_change(before, after, word, scales) for word in words]
    sure = [change for change in found if change.low > 0 or change.high < 0]
    return sorted(sure, key=lambda change: -abs(change.difference))[:top]


def _change(
    before: Collected, after: Collected, word: tuple[str, str], scales: tuple[float, float]
) -> Change:
    one, other = before.words[word], after.words[word]
    after_means, before_means = (resampled_means(f.heat, f.times) for f in (other, one))
    moved = after_means / scales[1] - before_means / scales[0]
    low, high = np.quantile(moved, [0.025, 0.975])
    return Change(
        *word,
        reviews=len(one.reviews),
        before=sum(one.heat) / sum(one.times) / scales[0],
        after=sum(other.heat) / sum(other.times) / scales[1],
        low=float(low),
        high=float(high),
    )


def _scale(collected: Collected) -> float:
    squares = sum(sum(h * h for h in found.heat) for found in collected.words.values())
    return sqrt(squares / max(sum(len(f.heat) for f in collected.words.values()), 1)) or 1.0
