"""What every chart over time has: its size, the room for what is written, and its marks."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from iyu.console.web.charts.scale import Scale

WIDTH: Final = 640
#: Room for what is written left of the axis, and beneath it.
LEFT, BOTTOM, TOP, RIGHT = 58, 28, 14, 14


@dataclass(frozen=True, slots=True)
class Tick:
    """A value on an axis."""

    at: float
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """The axes of a chart, in SVG units."""

    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    height: int
    width: int = WIDTH
    left: int = LEFT
    right: int = WIDTH - RIGHT

    @property
    def foot(self) -> int:
        """Where the axis of time lies."""
        return self.height - BOTTOM


def step_of(places: int) -> float:
    """Return the width that each of so many places has."""
    return (WIDTH - RIGHT - LEFT) / max(places, 1)


def height_scale(marks: list[float], height: int) -> Scale:
    """Return the scale of values between the first and the last mark."""
    return Scale(marks[0], marks[-1], height - BOTTOM, TOP)


def whole_ticks(marks: Iterable[float], y: Scale) -> tuple[Tick, ...]:
    """Return the marks of counts: nothing is counted by halves."""
    return tuple(Tick(y.at(mark), mark) for mark in marks if mark == int(mark))
