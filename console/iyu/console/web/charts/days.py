"""Charts over days: columns of counts, and lines of shares or means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from iyu.console.web.charts.axes import LEFT, Axes, Tick, height_scale, step_of, whole_ticks
from iyu.console.web.charts.scale import Scale, ticks

HEIGHT: Final = 220
#: Lines that can be told apart: each has its own dashes and mark beside its colour.
MOST_LINES: Final = 5


@dataclass(frozen=True, slots=True)
class Column:
    """One day's count, its part from the foot up apart."""

    x: float
    width: float
    y: float
    height: float
    part_y: float
    part_height: float
    day: date
    total: int
    part: int


@dataclass(frozen=True, slots=True)
class Columns(Axes):
    """A chart of counts by day."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its pieces are apart where a day has no value."""

    name: str
    pieces: tuple[str, ...]  # the points of polylines
    points: tuple[tuple[float, float, date, float], ...]  # x, y, day, value


@dataclass(frozen=True, slots=True)
class Lines(Axes):
    """A chart of values by day."""

    lines: tuple[Line, ...]
    zero: float | None  # where 0 lies, if within


def columns_by_day(days: Sequence[date], totals: Mapping[date, tuple[int, int]]) -> Columns:
    """Return columns of (total, part) for each day."""
    marks = ticks(0, max((total for total, _ in totals.values()), default=0) or 1)
    y, step = height_scale(marks, HEIGHT), step_of(len(days))
    width = round(min(0.72 * step, 56), 1)
    columns = []
    for number, day in enumerate(days):
        total, part = totals.get(day, (0, 0))
        x = round(LEFT + step * (number + 0.5) - width / 2, 1)
        top, part_top, foot = y.at(total), y.at(part), y.at(0)
        columns.append(
            Column(x, width, top, round(foot - top, 1), part_top, round(foot - part_top, 1),
                   day, total, part)
        )  # fmt: skip
    middles = [round(column.x + width / 2, 1) for column in columns]
    return Columns(
        tuple(columns),
        x_ticks=_day_ticks(days, middles),
        y_ticks=whole_ticks(marks, y),
        height=HEIGHT,
    )


def lines_by_day(
    days: Sequence[date],
    series: Mapping[str, Mapping[date, float]],
    *,
    bounds: tuple[float, float] | None = None,
) -> Lines:
    """Return a line of each series; `bounds` is the range of the axis, or it fits the values."""
    values = [value for line in series.values() for value in line.values()]
    low, high = bounds or (min([*values, 0.0]), max([*values, 0.0]))
    marks = ticks(low, high)
    y, step = height_scale(marks, HEIGHT), step_of(len(days))
    places = [round(LEFT + step * (number + 0.5), 1) for number in range(len(days))]
    return Lines(
        tuple(_line(name, days, places, found, y) for name, found in series.items()),
        y.at(0) if marks[0] <= 0 <= marks[-1] else None,
        x_ticks=_day_ticks(days, places),
        y_ticks=tuple(Tick(y.at(mark), mark) for mark in marks),
        height=HEIGHT,
    )


def _line(
    name: str, days: Sequence[date], places: Sequence[float], found: Mapping[date, float], y: Scale
) -> Line:
    points = [
        (x, y.at(found[day]), day, found[day])
        for x, day in zip(places, days, strict=True)
        if day in found
    ]
    pieces: list[list[str]] = []
    last: date | None = None
    for x, height, day, _ in points:
        if last is None or (day - last).days > 1:
            pieces.append([])
        pieces[-1].append(f"{x},{height}")
        last = day
    return Line(name, tuple(" ".join(piece) for piece in pieces), tuple(points))


def _day_ticks(days: Sequence[date], places: Sequence[float]) -> tuple[Tick, ...]:
    """Return about seven days to be named, the last one always."""
    every = max(1, -(-len(days) // 7))
    named = range(len(days) - 1, -1, -every)
    return tuple(Tick(places[n], days[n]) for n in reversed(named))
