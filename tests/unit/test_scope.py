"""What negation and contrast reach, and whose heat it is: by hand."""

import numpy as np
import pytest

from iyu.worker.model.scope import (
    AFTER,
    BEFORE,
    REACH,
    STOPS,
    STRENGTHS,
    TURNS,
    Gates,
    Scope,
    cause_heat,
    read_gates,
)

OPEN = 20.0  # an activation whose strength is 1
HALF = np.arctanh(0.5)


def gates_of(
    tokens: int, *marks: tuple[int, int, float], reach: float = 1.0, discount: float = 1.0
) -> Gates:
    """Return the gates of one review; marks: token, strength, activation."""
    activations = np.zeros((1, tokens, STRENGTHS), np.float32)
    for token, strength, value in marks:
        activations[0, token, strength] = value
    return read_gates(
        activations,
        Scope(
            np.zeros(STRENGTHS, np.float32),
            np.full((2, REACH), reach, np.float32),
            np.float32(discount),
            np.float32(1.5),
        ),
    )


def row(values) -> list[float]:
    return [round(float(v), 5) for v in values[0]]


def test_without_negation_and_contrast_everything_counts_as_it_stands():
    gates = gates_of(5, (2, BEFORE, -3.0), (1, TURNS, -1.0))
    assert row(gates.passed) == [1] * 5
    assert row(gates.turned) == [0] * 5
    assert (
        row(cause_heat(gates, np.zeros((1, 5), np.float32), np.zeros((1, 5), np.float32)))
        == [0] * 5
    )


def test_a_negation_behind_a_word_negates_it():
    """재밌 지 않 다."""
    assert row(gates_of(4, (2, BEFORE, OPEN)).negated) == [1, 1, 0, 0]


def test_a_negation_before_a_word_negates_it():
    """안 재밌 다."""
    assert row(gates_of(3, (0, AFTER, OPEN)).negated) == [0, 1, 1]


def test_it_does_not_reach_across_a_clause():
    """좋 고 재밌 지 않 다: 고 is reached, 좋 is not."""
    gates = gates_of(6, (4, BEFORE, OPEN), (1, STOPS, OPEN))
    assert row(gates.negated) == [0, 1, 1, 1, 0, 0]


def test_it_does_not_reach_further_than_it_may():
    gates = gates_of(REACH + 3, (REACH + 2, BEFORE, OPEN))
    assert row(gates.negated) == [0, 0] + [1] * REACH + [0]


def test_two_negations_undo_each_other():
    assert row(gates_of(4, (2, BEFORE, OPEN), (3, BEFORE, OPEN)).negated) == [0, 0, 1, 0]


def test_half_a_negation_counts_half():
    gates = gates_of(3, (1, BEFORE, HALF), reach=0.5)
    assert row(gates.negated) == [0.25, 0, 0]


def test_what_stands_before_a_contrast_counts_less():
    gates = gates_of(4, (1, TURNS, OPEN), (2, TURNS, OPEN), discount=float(np.log(2)))
    assert row(gates.weight) == [0.25, 0.5, 1, 1]


def test_the_heat_of_a_turn_is_that_of_its_cause():
    """재밌 지 않 다: what the negation changes at 재밌 stands at 않."""
    gates = gates_of(4, (2, BEFORE, OPEN))
    negation = np.float32([[-2.0, 0.5, 0, 0]])
    assert row(cause_heat(gates, negation, np.zeros_like(negation))) == [0, 0, -1.5, 0]


def test_two_causes_share_by_their_strength():
    gates = gates_of(3, (1, BEFORE, OPEN), (2, BEFORE, HALF))
    heat = row(cause_heat(gates, np.float32([[-3.0, 0, 0]]), np.zeros((1, 3), np.float32)))
    assert heat == pytest.approx([0, -2, -1], abs=1e-4)
    gates = gates_of(3, (1, TURNS, OPEN), (2, TURNS, HALF))
    heat = row(cause_heat(gates, np.zeros((1, 3), np.float32), np.float32([[-3.0, 0, 0]])))
    assert heat == pytest.approx([0, -2, -1], abs=1e-4)


def test_a_review_may_be_shorter_than_the_reach():
    assert row(gates_of(1, (0, BEFORE, OPEN)).negated) == [0]
