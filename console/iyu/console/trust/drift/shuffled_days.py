"""What chance alone would do: which days are the window's is drawn by lot, again and again.

If nothing has changed, the window's days are days like the others, and the observed difference is
one of many that a shuffle gives. So the threshold comes from the days themselves: from how much
they differ, whatever their number and whatever effects a day has of its own. No distribution is
assumed, and few days need no correction. Days of unlike size are made comparable before.
"""

from dataclasses import asdict, dataclass
from math import isnan
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: False alarms that are accepted, of each figure.
LEVEL: Final = 0.01
#: Shuffles. With the days as they are it makes a round number, of which a hundredth is whole.
SHUFFLES: Final = 4_999
#: Fewer days than these have too few arrangements (680) for a hundredth of them to mean anything.
MIN_WINDOW_DAYS: Final = 3
MIN_REFERENCE_DAYS: Final = 14

#: A day's own variance over that of one review, times the reviews of a mean day.
_RATIOS: Final = (0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of the window beside that of the reference."""

    reference: float
    window: float
    low: float  # of the change: the interval that covers 99 %
    high: float
    limit: float  # a larger change than that is rarer than LEVEL if nothing has changed
    p: float  # share of shuffles that change it as much

    @property
    def change(self) -> float:
        """Return window less reference."""
        return self.window - self.reference

    @property
    def is_noticed(self) -> bool:
        """Say whether the change is more than chance explains."""
        return self.p <= LEVEL

    def to_dict(self) -> dict[str, float | bool | None]:
        """Return it as JSON takes it: what is not known is null."""
        found = asdict(self) | {"change": self.change}
        plain = {name: None if isnan(value) else value for name, value in found.items()}
        return plain | {"noticed": self.is_noticed}


def shuffle(in_window: NDArray[np.bool_], count: int = SHUFFLES, seed: int = 0) -> Floats:
    """Return arrangements, (1 + count, days): 1 where a day is the window's; the first is real."""
    lots = np.random.default_rng(seed).random((count, len(in_window)))
    last = int(in_window.sum()) - 1
    drawn = lots <= np.partition(lots, last, axis=1)[:, last, np.newaxis]
    return np.concatenate([in_window[np.newaxis], drawn]).astype(np.float64)


def compare(
    values: Floats, sizes: Floats, arranged: Floats, *, one_sided: bool = False
) -> Compared:
    """Compare a figure's window with its reference.

    values: (days,), of each day; sizes: (days,), what each weighs; arranged: as `shuffle` gives
    it. one_sided: only a fall is noticed.
    """
    ratio = day_effect(values, sizes)
    scale = scales(arranged, sizes, ratio)
    change = differences(values, sizes, arranged)
    towards = -1.0 if one_sided else 1.0
    t = change / scale * towards
    p, limit = judge(t if one_sided else np.abs(t))
    window = arranged[0] > 0
    reference, now = (float(np.average(values[m], weights=sizes[m])) for m in (~window, window))
    centred = _centred(values, sizes, window)
    spread = np.abs(differences(centred, sizes, arranged) / scale)
    half = float(_limit(spread[1:]) * scale[0]) * _few_days(len(values) - 2)
    return Compared(
        reference, now, now - reference - half, now - reference + half, limit * float(scale[0]), p
    )


def judge(found: Floats) -> tuple[float, float]:
    """Return how rare the first of some values is among all, and above what it would be noticed."""
    p = float(np.mean(found >= found[0] - 1e-12))
    return p, _limit(found[1:])


def scales(arranged: Floats, sizes: Floats, ratio: float) -> Floats:
    """Return the standard error of each arrangement's difference, up to a common factor."""
    squares = sizes * sizes
    window, of_window = arranged @ sizes, arranged @ squares
    rest, of_rest = sizes.sum() - window, squares.sum() - of_window
    variance = 1 / window + 1 / rest + ratio * (of_window / window**2 + of_rest / rest**2)
    scale: Floats = np.sqrt(variance)
    return scale


def differences(values: Floats, sizes: Floats, arranged: Floats) -> Floats:
    """Return the window's mean less the reference's, of each arrangement."""
    sums = values * sizes
    window, weight = arranged @ sums, arranged @ sizes
    found: Floats = window / weight - (sums.sum() - window) / (sizes.sum() - weight)
    return found


def day_effect(values: Floats, sizes: Floats) -> float:
    """Return the variance between days over that of one review, by its greatest likelihood.

    It decides what a large day is worth. Where all days are alike in size it decides nothing.
    """
    best: tuple[float, float] = (-np.inf, 0.0)
    for ratio in np.array(_RATIOS) / sizes.mean():
        weights = 1 / (1 / sizes + ratio)
        squares = weights * (values - np.average(values, weights=weights)) ** 2
        if (variance := float(squares.mean())) <= 0:
            return 0.0
        likelihood = float(np.log(weights).sum() - len(values) * np.log(variance))
        best = max(best, (likelihood, float(ratio)))
    return best[1]


def _centred(values: Floats, sizes: Floats, window: NDArray[Any]) -> Floats:
    """Return the values without the difference of their means, as wide as they would be."""
    centred = np.empty_like(values)
    for part in (window, ~window):
        days = int(part.sum())
        mean = np.average(values[part], weights=sizes[part])
        centred[part] = (values[part] - mean) * np.sqrt(days / (days - 1))
    return centred


def _few_days(freedom: int) -> float:
    """Return by how much a spread that was estimated on few days is to be widened.

    Student's quantile over the normal one, to the first order; 1.06 with 35 days in all.
    """
    z = NormalDist().inv_cdf(1 - LEVEL / 2)
    return 1 + (z * z + 1) / (4 * freedom)


def _limit(shuffled: Floats) -> float:
    """Return what a hundredth of all arrangements, the real one among them, reaches."""
    rank = int(LEVEL * (len(shuffled) + 1) + 1e-9)
    return float(np.partition(shuffled, -rank)[-rank])
