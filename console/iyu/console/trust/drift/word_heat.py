"""Whether the same words decide: nDCG of their heat, and the words that moved most.

A word's weight is the heat it has in all reviews, without its sign, over the number of reviews.
nDCG@k takes the k weightiest words of the window in their order, adds up what they weigh in the
reference with less and less part, and divides by the most that could be: 1 where the order is the
same. By chance alone it is below 1, the fewer reviews the further; how far is found by dealing the
days anew.

Source: Järvelin and Kekäläinen 2002, Cumulated gain-based evaluation of IR techniques; Amazon
SageMaker Clarify compares the importance of features in this way.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iyu.console.trust.drift.day_permutation import LEVEL, Difference, Groups, chance_of, deal_days

Floats = NDArray[np.float64]

#: Words whose order is compared.
TOP: Final = 100
#: Words that are looked at at all: the weightiest of both groups together.
WORDS: Final = 1_000
#: Dealings that are computed at once.
_AT_ONCE: Final = 250


@dataclass(frozen=True, slots=True)
class WordHeat:
    """Heat of words in reviews, one entry for each word of a review."""

    day: NDArray[np.int64]  # of its review, as in `Reviews`
    word: NDArray[np.int64]
    heat: Floats  # the word's in this review, all its occurrences together


@dataclass(frozen=True, slots=True)
class MovedWord:
    """A word whose weight moved: heat a review without its sign, in both groups."""

    word: int
    window: float
    reference: float
    errors: float  # the difference in standard errors
    reviews: tuple[int, int]  # that hold it


def compare_order(
    days: tuple[int, int], sizes: tuple[Floats, Floats], heat: tuple[WordHeat, WordHeat]
) -> tuple[Difference, list[MovedWord]]:
    """Compare the order of words in window and reference.

    days: how many each has; sizes: reviews by day. Returns nDCG, and all words that were looked
    at, those that moved most first. In the figure the reference is what the real days give by
    chance in the middle, and low to high are 99 of 100 dealings.
    """
    count = int(max(part.word.max(initial=-1) for part in heat)) + 1
    weights = np.concatenate(
        [_by_day(part, of, count) for part, of in zip(heat, days, strict=True)]
    )
    kept = np.argsort(-weights.sum(axis=0), kind="stable")[:WORDS]
    groups = deal_days(*days, seed=1)
    reviews = np.concatenate(sizes)
    gains = _gains(weights[:, kept], reviews, groups)
    chance = chance_of(-gains, -gains[0])
    low = float(np.quantile(gains, LEVEL))
    figure = Difference(float(gains[0]), float(np.median(gains)), low, 1.0, chance)
    holders = np.stack([np.bincount(part.word, minlength=count) for part in heat], axis=1)
    return figure, _moved(weights[:, kept], reviews, groups[:1], kept, holders[kept])


def ndcg(window: Floats, reference: Floats, top: int = TOP) -> Floats:
    """Return nDCG@top of each row: (rows, words) weights in both, to (rows,)."""
    part = 1 / np.log2(np.arange(2, min(top, window.shape[1]) + 2))
    order = np.argsort(-window, axis=1, kind="stable")[:, : len(part)]
    best = -np.sort(-reference, axis=1)[:, : len(part)]
    found = (np.take_along_axis(reference, order, axis=1) * part).sum(axis=1)
    most = (best * part).sum(axis=1)
    return np.divide(found, most, out=np.ones_like(found), where=most > 0)


def _gains(weights: Floats, reviews: Floats, groups: Groups) -> Floats:
    parts = []
    for start in range(0, len(groups), _AT_ONCE):
        chosen = groups[start : start + _AT_ONCE].astype(np.float64)
        mine, theirs = (
            side @ weights / np.maximum(side @ reviews, 1)[:, np.newaxis]
            for side in (chosen, 1 - chosen)
        )
        parts.append(ndcg(mine, theirs))
    return np.concatenate(parts)


def _by_day(part: WordHeat, days: int, words: int) -> Floats:
    cells = np.bincount(part.day * words + part.word, np.abs(part.heat), days * words)
    return cells.reshape(days, words)


def _moved(
    weights: Floats,
    reviews: Floats,
    real: Groups,
    kept: NDArray[np.int64],
    holders: NDArray[np.int64],
) -> list[MovedWord]:
    """Return the words by how far their weight moved, in standard errors."""
    sides = []
    for chosen in (real[0], ~real[0]):
        mine, of = weights[chosen], reviews[chosen]
        mean = mine.sum(axis=0) / of.sum()
        spread = ((mine - of[:, np.newaxis] * mean) ** 2).sum(axis=0)
        sides.append((mean, len(of) / (len(of) - 1) * spread / of.sum() ** 2))
    error = np.sqrt(sides[0][1] + sides[1][1])
    gap = sides[0][0] - sides[1][0]
    size = np.divide(gap, error, out=np.zeros_like(gap), where=error > 0)
    order = np.argsort(-np.abs(size), kind="stable")
    return [
        MovedWord(
            int(kept[i]),
            float(sides[0][0][i]),
            float(sides[1][0][i]),
            float(size[i]),
            (int(holders[i, 0]), int(holders[i, 1])),
        )
        for i in order
    ]
