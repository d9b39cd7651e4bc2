"""From values to places on an axis, and the round values that are written beside it."""

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

_ROUND: Final = (1, 2, 2.5, 5, 10)
#: Below it, values are all the same for a reader, and an axis still needs its steps.
SMALLEST_SPAN: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from values to SVG units."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return where a value lies, to a tenth of a unit."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.end - self.start), 1)


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Return round values that enclose the range, about so many steps."""
    span = high - low if high - low > SMALLEST_SPAN else abs(high) or 1.0
    span = max(span, SMALLEST_SPAN)
    magnitude = 10 ** floor(log10(span / about))
    step = next(magnitude * r for r in _ROUND if span / (magnitude * r) <= about)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(step * n, 10) for n in range(first, max(last, first + 1) + 1)]
