"""The interval of a word's mean heat, against figures from another route."""

from math import sqrt
from statistics import mean

import pytest

from iyu.console.web.pages.word_figures import least_reviews, strongest, word_figure


def row(days: list[tuple[float, int]], surface: str = "말") -> dict[str, object]:
    """What the database sums of days of (heat, occurrences)."""
    heat, times = sum(h for h, _ in days), sum(n for _, n in days)
    return {
        "surface": surface, "pos": "NNG", "reviews": times, "negative_reviews": 1,
        "occurrences": times, "total_heat": heat, "mean_heat": heat / times, "days": len(days),
        "heat_by_heat": sum(h * h for h, _ in days), "heat_by_times": sum(h * n for h, n in days),
        "times_by_times": sum(n * n for _, n in days),
    }  # fmt: skip


def test_with_one_occurrence_a_day_it_is_students_interval_of_a_mean():
    heats = [1.0, 2.0, 4.0, 5.0]
    word = word_figure(row([(heat, 1) for heat in heats]))
    spread = sqrt(sum((heat - mean(heats)) ** 2 for heat in heats) / 3 / 4)
    assert word.low == pytest.approx(3.0 - 3.182 * spread)
    assert word.high == pytest.approx(3.0 + 3.182 * spread)


def test_days_that_agree_leave_no_doubt_and_too_few_say_nothing():
    sure = word_figure(row([(2.0, 4), (1.0, 2), (3.0, 6)]))
    assert sure.low == pytest.approx(0.5)
    assert sure.high == pytest.approx(0.5)
    few = word_figure(row([(2.0, 4), (1.0, 2)]))
    assert (few.low, few.high) == (None, None)


def test_words_stand_on_their_side_and_unsure_ones_nowhere():
    rows = [
        row([(3.0, 3), (3.1, 3), (2.9, 3)], "좋"),
        row([(-9.0, 3), (-9.1, 3), (-8.9, 3)], "나쁘"),
        row([(5.0, 1), (-5.0, 1), (0.5, 1)], "그저"),
        row([(-1.0, 1), (-1.1, 1), (-0.9, 1)], "조금"),
    ]
    up, down = strongest(rows, "total", 5)
    assert [word.surface for word in up] == ["좋"]
    assert [word.surface for word in down] == ["나쁘", "조금"]


def test_a_word_is_in_a_thousandth_of_the_reviews_and_in_five_at_least():
    assert (least_reviews(100), least_reviews(50_000)) == (5, 50)
