"""The measures of a heatmap against figures reckoned on paper; see TinyNetwork for the network."""

import numpy as np
import pytest

from iyu.worker.explain.faithfulness_in_pass import places
from iyu.worker.explain.methods.registry import choose
from iyu.worker.explain.quality.comparison import interval
from iyu.worker.explain.quality.deletion_curves import area
from iyu.worker.explain.quality.faithfulness import agreement, measure
from iyu.worker.explain.quality.sanity import against_random_weights, correlation
from tests.unit.networks import TinyNetwork, reviews, source_network


def negative(z):
    return 1 / (1 + np.exp(z))


def test_places_count_words_by_evidence_and_the_earlier_of_equals_first():
    word = np.array([[False, True, True, True]])
    evidence = np.float32([[9, 1, 2, 1]])
    assert places(word, evidence).numpy().tolist() == [[3, 1, 0, 2]]


def test_area_is_the_mean_height_over_a_reviews_own_points():
    curve = np.float32([[1, 0.5, 0, 9], [1, 0.5, 0, 0.5]])
    assert area(curve, np.int32([2, 3])).numpy() == pytest.approx([0.5, (0.75 + 0.25 + 0.25) / 3])


def test_measures_are_what_paper_says():
    """Predicted negative; Grad-CAM is (8, 31, 8): toward negative B weighs more than A.

    z / 10: PAD A B 0; without B 1.65; B alone −1.2; nothing 0.15.
    """
    found = measure(TinyNetwork(scale=0.1), {"ids": np.int32([[0, 1, 2]])}, choose(["gradcam"]))[0]
    whole, without, alone, nothing = (negative(z) for z in (0, 1.65, -1.2, 0.15))
    assert found.comprehensiveness[0] == pytest.approx(whole - without, abs=1e-6)
    assert found.sufficiency[0] == pytest.approx(whole - alone, abs=1e-6)
    assert found.deletion[0] == pytest.approx((whole + 2 * without + nothing) / 4, abs=1e-6)
    assert found.insertion[0] == pytest.approx((nothing + 2 * alone + whole) / 4, abs=1e-6)
    assert found.kendall[0] == 1  # leaving A out costs 1.2, leaving B out −1.65


def test_agreement_is_over_words_and_missing_where_there_is_nothing_to_order():
    word = np.array([[False, True, True, True], [False, False, False, True], [True] * 4])
    one = np.array([[9, 1, 2, 3], [0, 0, 0, 1], [1, 1, 1, 1]])
    other = np.array([[0, 10, 30, 20], [0, 0, 0, 1], [1, 2, 3, 4]])
    assert agreement(one, other, word) == pytest.approx([1 / 3, np.nan, np.nan], nan_ok=True)


def test_correlation_is_by_rank():
    word = np.array([[True, True, True], [True, True, True], [False, True, True]])
    one = np.float32([[1, 2, 30], [1, 2, 3], [0, 1, 2]])
    other = np.float32([[5, 6, 7], [3, 2, 1], [0, 1, 2]])
    assert correlation(one, other, word) == pytest.approx([1, -1, np.nan], nan_ok=True)


def test_the_sanity_check_tells_heat_that_ignores_the_model():
    """Random heat is settled by the ids, so another model changes nothing; Grad-CAM's does."""
    inputs = {"ids": reviews(40)}
    methods = choose(["random", "gradcam"])
    found = measure(source_network(), inputs, methods)
    others = [source_network(seed=seed) for seed in (11, 12)]
    control, gradcam = (
        np.nanmean(against_random_weights(others, inputs, method, one))
        for method, one in zip(methods, found, strict=True)
    )
    assert control == pytest.approx(1)
    assert abs(gradcam) < 0.3


def test_an_interval_holds_its_mean_and_leaves_out_what_is_missing():
    found = interval(np.array([1.0, 2.0, 3.0, np.nan, 4.0]))
    assert found.mean == 2.5
    assert found.low < 2.5 < found.high
    assert interval(np.array([1.0, 2.0, 3.0, 4.0])) == found
    assert interval(np.array([2.0, np.nan])).low == 2.0
