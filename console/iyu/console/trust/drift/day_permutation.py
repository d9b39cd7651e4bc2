"""Two groups of days compared: whether they differ more than days differ by themselves.

Reviews of one day resemble each other, so the day is the unit. The difference of two shares is
divided by its standard error, which leaves out one day after the other (jackknife); then all days
are dealt anew into groups of the same sizes, again and again, and the same is computed. Where
nothing drifts, each dealing is as likely as the one that happened, so 1 % of all comparisons
exceed the limit, however few days there are. Dividing by the standard error keeps this true where
the days of the two groups hold very different numbers of reviews.

Source: Janssen 1997, Studentized permutation tests for non-i.i.d. hypotheses; Chung and Romano
2013, Exact and asymptotically robust permutation tests.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Chance of an alarm where nothing drifts.
LEVEL: Final = 0.01
#: Dealings: 1 % of them is twenty.
DEALINGS: Final = 1_999

Floats = NDArray[np.float64]
Groups = NDArray[np.bool_]  # (dealings, days): True where a day is in the window; the first is real


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure in the window and in the reference, and how far they are apart."""

    window: float
    reference: float
    low: float  # of window − reference: an interval that holds 0 in 99 of 100 where nothing drifts
    high: float
    chance: float  # of a difference at least as large where nothing drifts

    @property
    def moved(self) -> bool:
        """Whether the difference is more than days differ by themselves."""
        return self.chance <= LEVEL


def deal_days(window: int, reference: int, seed: int = 0) -> Groups:
    """Return the real groups, and then groups of the same sizes drawn at random."""
    days = window + reference
    draw = np.random.default_rng(seed)
    order = draw.random((DEALINGS, days)).argsort(axis=1)
    return np.concatenate([(np.arange(days) < window)[np.newaxis], order < window])


def compare_ratios(numerator: Floats, denominator: Floats, groups: Groups) -> Difference:
    """Compare Σ numerator / Σ denominator of the two groups: (days,), the window's days first."""
    mine, theirs = (_ratios(numerator, denominator, g) for g in (groups, ~groups))
    gap, error = mine[0] - theirs[0], np.sqrt(mine[1] + theirs[1])
    # All days alike: a difference is then either none, or beyond every doubt.
    size = np.divide(np.abs(gap), error, out=np.where(gap == 0, 0.0, np.inf), where=error > 0)
    limit = np.sort(size)[-max(int(LEVEL * len(size)), 1)]
    half = limit * error[0] if np.isfinite(limit) else 0.0
    return Difference(
        float(mine[0][0]),
        float(theirs[0][0]),
        float(gap[0] - half),
        float(gap[0] + half),
        chance_of(size, size[0]),
    )


def chance_of(sizes: Floats, real: float) -> float:
    """Return the share of dealings, the real one included, that are at least as extreme."""
    return float(np.mean(sizes >= real * (1 - 1e-9)))


def _ratios(numerator: Floats, denominator: Floats, groups: Groups) -> tuple[Floats, Floats]:
    """Return each group's ratio and the variance of it: (dealings,) both."""
    chosen = groups.astype(np.float64)
    days, whole = chosen.sum(axis=1), np.maximum(chosen @ denominator, 1e-300)
    ratio = chosen @ numerator / whole
    squares = (
        chosen @ numerator**2
        - 2 * ratio * (chosen @ (numerator * denominator))
        + ratio**2 * (chosen @ denominator**2)
    )
    return ratio, days / (days - 1) * np.maximum(squares, 0.0) / whole**2
