"""The statistics of `iyu drift`: by hand, by brute force, and how often they cry wolf."""

import math

import numpy as np
import pytest

from iyu.console.trust.drift.figures import BINS, DaySums, estimated_accuracy, estimated_auc
from iyu.console.trust.drift.shuffled_days import (
    LEVEL,
    Compared,
    compare,
    day_effect,
    judge,
    shuffle,
)
from iyu.console.trust.drift.word_order import WordDays, compare_words, ndcg

WINDOW = np.arange(21) < 7
#: Draws without a change. With a chance of 0.01 each, more than 13 of 400 come once in 10,000.
DRAWS, MOST = 400, 13


def day_of(probabilities: np.ndarray) -> DaySums:
    """The sums of one day."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    counts, sums = np.zeros((1, BINS)), np.zeros((1, BINS))
    np.add.at(counts[0], bins, 1)
    np.add.at(sums[0], bins, probabilities)
    one = np.array([float(len(probabilities))])
    return DaySums(one, one, one, one, one, counts, sums)


def test_estimates_are_what_labels_would_say_if_probabilities_were_right():
    draw = np.random.default_rng(0)
    p = draw.beta(0.5, 0.5, 300)
    sums = day_of(p)
    assert estimated_accuracy(sums)[0] == pytest.approx(np.maximum(p, 1 - p).mean())
    weights = p[:, np.newaxis] * (1 - p)
    np.fill_diagonal(weights, 0)
    in_order = (p[:, np.newaxis] > p) + (p[:, np.newaxis] == p) / 2
    assert estimated_auc(sums)[0] == pytest.approx((weights * in_order).sum() / weights.sum(), 2e-3)
    assert estimated_auc(day_of(np.array([0.7]))) == 0.5


def test_a_day_of_few_reviews_has_the_auc_of_many():
    draw = np.random.default_rng(1)
    few = np.mean([estimated_auc(day_of(draw.beta(0.5, 0.5, 20)))[0] for _ in range(2_000)])
    assert few == pytest.approx(estimated_auc(day_of(draw.beta(0.5, 0.5, 50_000)))[0], abs=0.004)


def test_shuffles_keep_the_number_of_days_and_begin_with_the_real_one():
    arranged = shuffle(WINDOW, 99)
    assert arranged.shape == (100, 21)
    assert (arranged[0] == WINDOW).all()
    assert (arranged.sum(axis=1) == 7).all()
    assert arranged[1:].mean(axis=0) == pytest.approx(1 / 3, abs=0.2)
    assert (shuffle(WINDOW, 99) == arranged).all(), "the same days give the same answer"


def test_what_is_rarer_than_a_hundredth_is_noticed():
    p, limit = judge(np.array([5.0, *range(1, 100)], float))
    assert (p, limit) == (0.96, 99.0)
    assert judge(np.array([99.5, *range(1, 100)], float))[0] == LEVEL
    assert judge(np.zeros(100))[0] == 1.0, "where nothing moves nothing is noticed"


@pytest.mark.parametrize("traffic", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("effect", [0.0, 0.1])
def test_without_a_change_it_seldom_cries(traffic: float, effect: float):
    draw = np.random.default_rng(2)
    noticed = missed = 0
    for number in range(DRAWS):
        sizes = np.where(WINDOW, 100 * traffic, 100) * np.exp(draw.normal(0, 0.3, len(WINDOW)))
        values = draw.normal(0.5, np.sqrt(0.25 / sizes + effect**2))
        found = compare(values, sizes, shuffle(WINDOW, 299, number))
        noticed += found.is_noticed
        missed += not found.low <= 0 <= found.high
    assert noticed <= MOST
    assert missed <= MOST


def test_a_change_is_noticed_and_its_interval_holds_it():
    draw = np.random.default_rng(3)
    values = draw.normal(0.5, 0.02, 21) - 0.08 * WINDOW
    sizes = np.full(21, 50.0)
    found = compare(values, sizes, shuffle(WINDOW))
    assert found.is_noticed
    assert abs(found.change) > found.limit
    assert found.low < -0.08 < found.high < 0
    assert compare(values, sizes, shuffle(WINDOW), one_sided=True).is_noticed
    assert not compare(-values, sizes, shuffle(WINDOW), one_sided=True).is_noticed


def test_large_days_are_worth_what_the_days_say():
    draw = np.random.default_rng(4)
    sizes = np.geomspace(10, 10_000, 300)
    alike = draw.normal(0, 1 / np.sqrt(sizes))
    assert day_effect(alike, sizes) == 0
    assert day_effect(draw.normal(0, 1, 300), sizes) * sizes.mean() >= 10
    assert day_effect(np.ones(300), sizes) == 0


def test_ndcg_by_hand():
    window, reference = np.array([[1.0, 3.0, 2.0]]), np.array([[3.0, 2.0, 1.0]])
    discount = 1 / np.log2([2, 3, 4])
    by_hand = (2 + 1 * discount[1] + 3 * discount[2]) / (3 + 2 * discount[1] + 1 * discount[2])
    assert ndcg(window, reference, 3) == pytest.approx(by_hand)
    assert ndcg(window, window, 2) == pytest.approx(1)
    assert ndcg(window, np.zeros((1, 3)), 9) == pytest.approx(1)


def words_of(draw: np.random.Generator, sizes: np.ndarray, shares: np.ndarray) -> WordDays:
    held = draw.poisson(sizes[:, np.newaxis] * shares).astype(float)
    return WordDays(held, held * np.linspace(-2, 2, shares.shape[-1]))


@pytest.mark.parametrize("traffic", [0.25, 1.0, 4.0])
def test_words_that_have_not_moved_are_seldom_noticed(traffic: float):
    draw = np.random.default_rng(5)
    shares = np.geomspace(0.3, 0.001, 150)
    noticed = {"order": 0, "furthest": 0}
    for number in range(DRAWS // 2):
        sizes = np.where(WINDOW, 100 * traffic, 100) * np.exp(draw.normal(0, 0.2, len(WINDOW)))
        found = compare_words(words_of(draw, sizes, shares), sizes, shuffle(WINDOW, 99, number), 20)
        noticed["order"] += found.order.is_noticed
        noticed["furthest"] += found.furthest.is_noticed
    assert max(noticed.values()) <= MOST


def test_a_new_word_moves_furthest():
    draw = np.random.default_rng(6)
    shares = np.tile(np.geomspace(0.3, 0.01, 50), (21, 1))
    shares[:, 30] = np.where(WINDOW, 0.15, 0.0)
    sizes = np.full(21, 100.0)
    found = compare_words(words_of(draw, sizes, shares), sizes, shuffle(WINDOW), 20)
    assert found.furthest.is_noticed
    assert int(np.argmax(np.abs(found.moves))) == 30
    assert found.moves[30] > found.furthest.limit


def test_what_is_unknown_is_null_in_json():
    found = Compared(1.0, 0.9, math.nan, math.nan, 0.05, 0.002).to_dict()
    assert (found["low"], found["noticed"]) == (None, True)
    assert found["change"] == pytest.approx(-0.1)
