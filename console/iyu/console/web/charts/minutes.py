"""Columns a minute: how many reviews were finished."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from iyu.console.web.charts.axes import LEFT, Axes, Tick, height_scale, step_of, whole_ticks
from iyu.console.web.charts.scale import Scale, ticks

HEIGHT: Final = 160
#: Minutes between two that are named.
NAMED: Final = 15


@dataclass(frozen=True, slots=True)
class MinuteColumn:
    """One minute."""

    x: float
    width: float
    y: float
    height: float
    minute: datetime
    reviews: int


@dataclass(frozen=True, slots=True)
class MinuteColumns(Axes):
    """The chart."""

    columns: tuple[MinuteColumn, ...]


def columns_by_minute(minutes: Sequence[datetime], reviews: Mapping[str, int]) -> MinuteColumns:
    """Return a column for each minute; reviews by minute, written like 2026-11-24 20:15."""
    marks = ticks(0, max(reviews.values(), default=0) or 1)
    y, step = height_scale(marks, HEIGHT), step_of(len(minutes))
    columns = tuple(
        _column(round(LEFT + step * n + 0.5, 1), round(step - 1, 1), y, minute,
                reviews.get(f"{minute:%Y-%m-%d %H:%M}", 0))
        for n, minute in enumerate(minutes)
    )  # fmt: skip
    named = [column for column in columns if column.minute.minute % NAMED == 0]
    return MinuteColumns(
        columns,
        x_ticks=tuple(Tick(round(one.x + one.width / 2, 1), one.minute) for one in named),
        y_ticks=whole_ticks(marks, y),
        height=HEIGHT,
    )


def _column(x: float, width: float, y: Scale, minute: datetime, reviews: int) -> MinuteColumn:
    top, foot = y.at(reviews), y.at(0)
    return MinuteColumn(x, width, top, round(foot - top, 1), minute, reviews)
