"""Which words matter, in the window and in the reference: nDCG of their heat, and what moved."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iyu.console.trust.drift.shuffled_days import Compared, Floats, judge, scales

Numbers = NDArray[Any]  # float32, which is enough here and twice as fast

#: Words whose order counts: the first k of nDCG@k.
K: Final = 100
#: What is lost grows about as the square of the standard error; days of one size cannot say.
_SLOPES: Final = (1.0, 3.0)
#: Arrangements that are computed together: a few megabytes each.
_TOGETHER: Final = 250


@dataclass(frozen=True, slots=True)
class WordDays:
    """Daily sums of words as arrays."""

    reviews: Floats  # (days, words): reviews that hold it
    heat: Floats  # (days, words)


@dataclass(frozen=True, slots=True)
class WordsCompared:
    """The order of the words, and how far each moved."""

    order: Compared  # nDCG@k: its reference is 1, the order's likeness to itself
    furthest: Compared  # the greatest move
    moves: Floats  # (words,): change of the share of reviews, about in standard errors


def compare_words(words: WordDays, sizes: Floats, arranged: Floats, k: int = K) -> WordsCompared:
    """Compare words of the window with those of the reference; sizes: (days,) reviews."""
    scale = scales(arranged, sizes, 0.0)
    reviews, heat = words.reviews.astype(np.float32), words.heat.astype(np.float32)
    losses, furthest = [], []
    moves = np.zeros(heat.shape[1])
    for begin in range(0, len(arranged), _TOGETHER):
        part = slice(begin, begin + _TOGETHER)
        window, rest = _shares(heat, sizes, arranged[part])
        losses.append(1 - ndcg(np.abs(window), np.abs(rest), k))
        window, rest = _shares(reviews, sizes, arranged[part])
        found = 2 * (np.sqrt(window) - np.sqrt(rest)) / scale[part, np.newaxis]
        furthest.append(np.abs(found).max(axis=1))
        if begin == 0:
            moves = found[0]
    distance = np.concatenate(furthest)
    p, limit = judge(distance)
    moved = Compared(0.0, float(distance[0]), np.nan, np.nan, limit, p)
    return WordsCompared(_order(np.concatenate(losses), scale), moved, moves)


def _order(losses: Floats, scale: Floats) -> Compared:
    """Judge what is lost of the order; with fewer reviews more is lost by chance."""
    slope = _slope(np.log(scale), np.log(np.maximum(losses, 1e-9)))
    by_chance = scale ** np.clip(slope, *_SLOPES)
    p, limit = judge(losses / by_chance)
    return Compared(1.0, 1 - float(losses[0]), np.nan, np.nan, limit * float(by_chance[0]), p)


def _slope(x: Floats, y: Floats) -> float:
    """Return how y grows with x; 0 where x is the same everywhere."""
    apart = x - x.mean()
    spread = float(apart @ apart)
    return float(apart @ (y - y.mean())) / spread if spread > 1e-12 else 0.0


def ndcg(window: Numbers, reference: Numbers, k: int) -> Floats:
    """Return how well the window's order of words keeps the reference's first: 0 to 1.

    window, reference: (arrangements, words), what each word weighs there. The words are put in
    the window's order and weigh what they weigh in the reference (Järvelin and Kekäläinen 2002,
    as Amazon SageMaker Clarify uses it for feature attribution).
    """
    k = min(k, window.shape[1])
    discount = 1 / np.log2(np.arange(2, k + 2))
    first = _first(window, k)
    gains = np.take_along_axis(reference, first, axis=1)
    ideal = np.take_along_axis(reference, _first(reference, k), axis=1)
    best = ideal @ discount
    found: Floats = np.where(best > 0, (gains @ discount) / np.where(best > 0, best, 1), 1.0)
    return found


def _first(weights: Numbers, k: int) -> NDArray[np.intp]:
    """Return the k heaviest words, the heaviest first."""
    some = np.argpartition(weights, -k, axis=1)[:, -k:]
    order = np.argsort(-np.take_along_axis(weights, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def _shares(sums: Numbers, sizes: Floats, arranged: Floats) -> tuple[Numbers, Numbers]:
    """Return sums a review, in the window and in the rest, of each arrangement."""
    chosen, weights = arranged.astype(sums.dtype), sizes.astype(sums.dtype)
    inside, count = chosen @ sums, (chosen @ weights)[:, np.newaxis]
    return inside / count, (1 - chosen) @ sums / (weights.sum() - count)
