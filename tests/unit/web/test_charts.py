"""Charts: round values beside the axis, and marks where their values belong."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iyu.console.web.charts.days import columns_by_day, lines_by_day
from iyu.console.web.charts.heat import Morpheme
from iyu.console.web.charts.scale import Scale, ticks
from iyu.console.web.charts.tokens import token_bars

DAYS = [date(2026, 11, 1) + timedelta(n) for n in range(10)]


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_enclose_the_range_and_are_few(low: float, span: float):
    marks = ticks(low, low + span)
    assert 2 <= len(marks) <= 8
    rounding = 1e-6 * (span + abs(low)) + 1e-9  # far below what a chart can show
    assert marks[0] <= low + rounding
    assert marks[-1] >= low + span - rounding
    assert marks == sorted(set(marks))


def test_a_scale_is_a_straight_line():
    scale = Scale(0, 10, 100, 0)
    assert [scale.at(value) for value in (0, 5, 10)] == [100, 50, 0]


def test_columns_stand_on_the_foot_and_their_part_is_in_proportion():
    chart = columns_by_day(DAYS, {DAYS[2]: (200, 50)})
    whole = chart.columns[2]
    assert whole.y + whole.height == pytest.approx(chart.foot)
    assert whole.part_height / whole.height == pytest.approx(0.25, abs=0.01)
    assert [column.height for column in chart.columns[:2]] == [0, 0]


def test_a_line_is_broken_where_a_day_has_no_value():
    [line] = lines_by_day(DAYS, {"x": {DAYS[0]: 1.0, DAYS[1]: 2.0, DAYS[5]: 0.5}}).lines
    assert len(line.pieces) == 2
    assert len(line.points) == 3


def test_an_empty_period_draws_axes_alone():
    assert lines_by_day(DAYS, {}).lines == ()
    assert len(columns_by_day(DAYS, {}).columns) == len(DAYS)


def test_bars_go_up_and_down_from_zero_and_leave_out_what_was_not_seen():
    heats = [("좋", 2.0), ("나쁘", -1.0), ("밖", None)]
    chart = token_bars(Morpheme(word, "NNG", heat, 0, False) for word, heat in heats)
    up, down = chart.bars
    assert up.y + up.height == pytest.approx(chart.zero)
    assert down.y == pytest.approx(chart.zero)
    assert up.height == pytest.approx(2 * down.height)
