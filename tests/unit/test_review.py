import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iyu.schemas.contract.review import MAX_TEXT_LENGTH, Reason, Rejection, Review, admit, text_hash


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.EMPTY),
        (" \t\n", Reason.EMPTY),
        (None, Reason.EMPTY),
        (math.nan, Reason.EMPTY),
        (7, Reason.NOT_TEXT),
        (b"bytes", Reason.NOT_TEXT),
        ("재미\0있다", Reason.NUL),
        ("재미\ud800", Reason.SURROGATE),
        ("가" * (MAX_TEXT_LENGTH + 1), Reason.TOO_LONG),
    ],
)
def test_a_text_that_breaks_a_rule_is_rejected_with_its_reason(text: object, reason: Reason):
    assert admit("1", text) == Rejection("1", reason)


@pytest.mark.parametrize(
    ("review_id", "reason"),
    [
        (None, Reason.MISSING_ID),
        ("  ", Reason.MISSING_ID),
        (math.nan, Reason.MISSING_ID),
        ("x" * 201, Reason.BAD_ID),
        ("a\0b", Reason.BAD_ID),
        (True, Reason.BAD_ID),
        (1.5, Reason.BAD_ID),
    ],
)
def test_an_id_that_breaks_a_rule_is_rejected_with_its_reason(review_id: object, reason: Reason):
    assert admit(review_id, "좋다") == Rejection("", reason)


def test_the_longest_text_and_a_number_as_id_are_let_in():
    assert admit(9912932, "가" * MAX_TEXT_LENGTH) == Review("9912932", "가" * MAX_TEXT_LENGTH)


def test_decomposed_hangul_is_composed_and_trimmed():
    decomposed = unicodedata.normalize("NFD", "재미있다")
    assert admit("1", f"  {decomposed}\n") == Review("1", "재미있다")


@given(st.text())
def test_what_is_let_in_can_be_stored_by_every_database(text: str):
    verdict = admit("1", text)
    if isinstance(verdict, Review):
        assert verdict.text.encode().decode() == verdict.text
        assert "\0" not in verdict.text
        assert 1 <= len(verdict.text) <= MAX_TEXT_LENGTH
        assert admit("1", verdict.text) == verdict  # letting in again changes nothing


def test_a_hash_is_the_same_on_every_machine():
    assert text_hash("재미있다") == "2b2743d88848dedf"
    assert text_hash("재미있다") != text_hash("재미없다")
