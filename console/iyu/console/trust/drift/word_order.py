"""Which words matter, in the window and in the reference: nDCG of their heat, and what moved."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iyu.console.trust.drift.shuffled_days import Compared, Floats, judge

Numbers = NDArray[Any]  # float32, which is enough here and twice as fast

#: Words whose order counts: the first k of nDCG@k.
K: Final = 100
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
    reviews, heat = words.reviews.astype(np.float32), words.heat.astype(np.float32)
    losses, furthest = [], []
    moves = np.zeros(heat.shape[1])
    for begin in range(0, len(arranged), _TOGETHER):
        part = arranged[begin : begin + _TOGETHER]
        window, rest = _shares(heat, sizes, part)
        losses.append(1 - ndcg(np.abs(window), np.abs(rest), k))
        found = _moves(reviews, sizes, part)
        furthest.append(np.abs(found).max(axis=1))
        if begin == 0:
            moves = found[0]
    distance = np.concatenate(furthest)
    p, limit = judge(distance)
    moved = Compared(0.0, float(distance[0]), np.nan, np.nan, limit, p)
    return WordsCompared(_order(np.concatenate(losses), arranged @ sizes), moved, moves)


def _order(losses: Floats, reviews: Floats) -> Compared:
    """Judge what is lost of the order, beside what is lost by chance with so many reviews.

    How that grows as the window gets smaller is read from the arrangements: a parabola of their
    logarithms. Where all windows are of one size it says nothing.
    """
    size = np.log(reviews) - np.log(reviews).mean()
    powers = np.stack([np.ones_like(size), size, size * size], axis=1)
    logarithms = np.log(np.maximum(losses, 1e-9))
    fitted = powers @ np.linalg.lstsq(powers, logarithms, rcond=1e-6)[0]
    by_chance: Floats = np.exp(fitted)
    p, limit = judge(losses / by_chance)
    return Compared(1.0, 1 - float(losses[0]), np.nan, np.nan, limit * float(by_chance[0]), p)


def _moves(reviews: Numbers, sizes: Floats, arranged: Floats) -> Numbers:
    """Return how far each word moved: the signed root of its deviance, about a standard error.

    Of all reviews that hold a word the window should have its part. Unlike a difference of
    shares this fits words that the window has once or twice, whatever its part is.
    """
    part = (arranged @ sizes / sizes.sum()).astype(reviews.dtype)[:, np.newaxis]
    inside, total = arranged.astype(reviews.dtype) @ reviews, reviews.sum(axis=0)
    expected, rest = total * part, total - inside
    tiny = np.finfo(reviews.dtype).tiny
    deviance = inside * np.log(np.maximum(inside, tiny) / np.maximum(expected, tiny)) + rest * (
        np.log(np.maximum(rest, tiny) / np.maximum(total - expected, tiny))
    )
    found: Numbers = np.sign(inside - expected) * np.sqrt(2 * np.maximum(deviance, 0))
    return found


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
