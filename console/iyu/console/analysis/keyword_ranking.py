"""The words that decide: mean heat of every word over many reviews, with its interval."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iyu.console.analysis.keyword_order import Order
from iyu.console.analysis.stored_heat import Key
from iyu.schemas.contract.morpheme_tags import NUMBER, is_function

#: Resamples behind an interval, and how many drawn reviews are held at once.
RESAMPLES: Final = 1_000
_HELD: Final = 2_000_000
EXAMPLES: Final = 3

Word = tuple[str, str]  # surface, part of speech


@dataclass(slots=True)
class Occurrences:
    """One word in the reviews that have it, one entry a review."""

    reviews: "array[int]" = field(default_factory=lambda: array("q"))  # numbers of the reviews
    heat: "array[float]" = field(default_factory=lambda: array("d"))  # summed over its occurrences
    share: "array[float]" = field(default_factory=lambda: array("d"))  # heat / Σ|heat|
    times: "array[int]" = field(default_factory=lambda: array("q"))
    labels: "array[int]" = field(default_factory=lambda: array("b"))

    def add(self, review: int, heat: float, share: float, times: int, label: int) -> None:
        """Add a review."""
        self.reviews.append(review)
        self.heat.append(heat)
        self.share.append(share)
        self.times.append(times)
        self.labels.append(label)


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word and its figures over many reviews; heat in the method's own unit."""

    surface: str
    pos: str
    reviews: int
    occurrences: int
    positive_reviews: int  # by predicted label
    mean_heat: float  # an occurrence
    low: float  # 95 % bootstrap interval of mean_heat, over reviews
    high: float
    total_heat: float
    share: float  # mean over its reviews of its part in all their heat, −1 … 1
    share_low: float
    share_high: float
    examples: tuple[Key, ...]  # the reviews where it is strongest

    @property
    def is_sure(self) -> bool:
        """Whether both intervals lie on the same side of zero."""
        return (self.low > 0 and self.share_low > 0) or (self.high < 0 and self.share_high < 0)


@dataclass(frozen=True, slots=True)
class Collected:
    """The words of many reviews."""

    keys: list[Key]  # the reviews, by number
    words: dict[Word, Occurrences]


def collect(
    explained: Iterable[tuple[Key, list[dict[str, Any]]]], *, function_words: bool = False
) -> Collected:
    """Collect the words of explained reviews; tokens outside the model's window have no heat."""
    keys: list[Key] = []
    words: dict[Word, Occurrences] = {}
    for key, tokens in explained:
        found: dict[Word, list[float]] = {}
        for token in tokens:
            if token["heat"] is not None and not token.get("address"):
                found.setdefault((token["surface"], token["pos"]), []).append(token["heat"])
        whole = sum(abs(heat) for heats in found.values() for heat in heats) or 1.0
        for word, heats in found.items():
            if _is_shown(word[1], function_words):
                heat = sum(heats)
                words.setdefault(word, Occurrences()).add(
                    len(keys), heat, heat / whole, len(heats), key.label
                )
        keys.append(key)
    return Collected(keys, words)


def rank(
    collected: Collected, order: Order, *, min_reviews: int, top: int
) -> tuple[list[Keyword], list[Keyword]]:
    """Return the words that decide for positive and for negative, the strongest first.

    Only words of at least `min_reviews` reviews whose intervals lie on one side of zero.
    """
    figures = {
        word: _figure(found, order)
        for word, found in collected.words.items()
        if len(found.reviews) >= min_reviews
    }
    down = sorted(figures, key=lambda word: (figures[word], word))
    positive = (w for w in reversed(down) if figures[w] > 0)
    negative = (w for w in down if figures[w] < 0)
    return _first_sure(collected, positive, top), _first_sure(collected, negative, top)


def resampled_means(values: Sequence[float], times: Sequence[int]) -> NDArray[np.float64]:
    """Return Σ values / Σ times of reviews drawn with replacement: (RESAMPLES,).

    The same draws for any word of the same number of reviews.
    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, §13.3.
    """
    upper, lower = np.array(values), np.array(times)
    draw = np.random.default_rng(0)
    rows = max(1, _HELD // len(upper))
    means = []
    for start in range(0, RESAMPLES, rows):
        drawn = draw.integers(0, len(upper), (min(rows, RESAMPLES - start), len(upper)))
        means.append(upper[drawn].sum(1) / lower[drawn].sum(1))
    return np.concatenate(means)


def _is_shown(pos: str, function_words: bool) -> bool:
    return NUMBER not in pos.split("+") and (function_words or not is_function(pos))


def _figure(found: Occurrences, order: Order) -> float:
    if order is Order.TOTAL:
        return sum(found.heat)
    if order is Order.MEAN:
        return sum(found.heat) / sum(found.times)
    return sum(found.share) / len(found.share)


def _first_sure(collected: Collected, words: Iterator[Word], top: int) -> list[Keyword]:
    sure: list[Keyword] = []
    for word in words:
        if len(sure) == top:
            break
        keyword = _keyword(collected, word)
        if keyword.is_sure:
            sure.append(keyword)
    return sure


def _keyword(collected: Collected, word: Word) -> Keyword:
    found = collected.words[word]
    low, high = _interval(resampled_means(found.heat, found.times))
    share_low, share_high = _interval(resampled_means(found.share, [1] * len(found.share)))
    total = sum(found.heat)
    strongest = np.argsort(-np.sign(total) * np.array(found.heat), kind="stable")[:EXAMPLES]
    return Keyword(
        *word,
        reviews=len(found.reviews),
        occurrences=sum(found.times),
        positive_reviews=sum(found.labels),
        mean_heat=total / sum(found.times),
        low=low,
        high=high,
        total_heat=total,
        share=sum(found.share) / len(found.share),
        share_low=share_low,
        share_high=share_high,
        examples=tuple(collected.keys[found.reviews[i]] for i in strongest),
    )


def _interval(means: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
