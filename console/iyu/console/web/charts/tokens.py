"""The bar chart of one review's tokens: one bar each, in order, up or down from the middle."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from iyu.console.web.charts.heat import Morpheme
from iyu.console.web.charts.scale import Scale

#: Units that a bar takes with its gap, the height of all bars, room for values and names.
STEP: Final = 46
REACH: Final = 150
VALUES: Final = 20
NAMES: Final = 26
#: Characters of a token that are written beneath its bar.
LONGEST_NAME: Final = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One token."""

    x: float
    middle: float
    y: float
    height: float
    value_y: float  # where its heat is written
    name: str
    full_name: str
    heat: float
    is_up: bool


@dataclass(frozen=True, slots=True)
class TokenBars:
    """All tokens that the model saw."""

    bars: tuple[Bar, ...]
    zero: float
    width: int
    height: int
    names_y: float
    bar_width: int = STEP - 14


def token_bars(morphemes: Iterable[Morpheme]) -> TokenBars:
    """Return the chart of the tokens within the model's window."""
    seen = [(one, one.heat) for one in morphemes if one.heat is not None]
    heats = [heat for _, heat in seen]
    high, low = max([*heats, 0.0]), min([*heats, 0.0])
    foot = VALUES + REACH
    y = Scale(low, high, foot, VALUES) if heats and high > low else Scale(-1, 1, foot, VALUES)
    bars = tuple(_bar(number, one, heat, y) for number, (one, heat) in enumerate(seen))
    height = foot + VALUES + NAMES
    return TokenBars(bars, y.at(0), STEP * max(len(bars), 1) + 8, height, height - 12)


def _bar(number: int, one: Morpheme, heat: float, y: Scale) -> Bar:
    top, foot = y.at(max(heat, 0)), y.at(min(heat, 0))
    x = 4 + STEP * number + 7
    name = one.surface
    short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    return Bar(
        x,
        x + (STEP - 14) / 2,
        top,
        round(max(foot - top, 0.5), 1),
        top - 5 if heat >= 0 else foot + 13,
        short,
        name,
        heat,
        heat >= 0,
    )
