"""The figures that are watched, each a ratio of sums over reviews."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iyu.console.trust.drift.day_permutation import Difference, compare_ratios, deal_days
from iyu.console.trust.drift.reviews_of_days import Reviews

Floats = NDArray[np.float64]

#: Name: numerator and denominator of each review.
FIGURES: Final[Mapping[str, tuple[Callable[[Reviews], Floats], Callable[[Reviews], Floats]]]] = {
    # Of labels that nobody has given yet: where p is calibrated, max(p, 1 − p) is the chance that
    # the label is right. Source: Guillory et al. 2021, Predicting with Confidence on Unseen
    # Distributions, §3 (average confidence); NannyML calls it CBPE.
    "estimated_accuracy": (
        lambda r: np.maximum(r.probability, 1 - r.probability),
        lambda r: np.ones(len(r)),
    ),
    "negative_share": (lambda r: (r.probability < 0.5) * 1.0, lambda r: np.ones(len(r))),
    "unknown_share": (lambda r: r.unknown, lambda r: r.tokens),
    "truncated_share": (lambda r: r.truncated, lambda r: np.ones(len(r))),
    "mean_length": (lambda r: r.length, lambda r: np.ones(len(r))),
}


def compare_figures(window: Reviews, reference: Reviews, seed: int = 0) -> dict[str, Difference]:
    """Return each figure of both groups, and whether it moved."""
    groups = deal_days(window.days, reference.days, seed)
    return {
        name: compare_ratios(
            *(_by_day(of, window, reference) for of in (numerator, denominator)), groups
        )
        for name, (numerator, denominator) in FIGURES.items()
    }


def _by_day(of: Callable[[Reviews], Floats], window: Reviews, reference: Reviews) -> Floats:
    """Return the sums of the window's days, then of the reference's: (days,)."""
    parts = [np.bincount(r.day, of(r), r.days) for r in (window, reference)]
    return np.concatenate(parts)
