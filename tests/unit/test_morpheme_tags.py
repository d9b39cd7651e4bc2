"""Which tags are grammar alone."""

import pytest

from iyu.schemas.contract.morpheme_tags import is_counted, is_function


@pytest.mark.parametrize(
    ("pos", "function"),
    [
        ("JKS", True),
        ("EC", True),
        ("EP+EF", True),
        ("SF", True),
        ("SY", True),
        ("JKB+JX", True),
        ("NNG", False),
        ("MAG", False),  # 안, 못
        ("VX", False),  # 않
        ("VCN", False),  # 아니
        ("VA+EC", False),
        ("EC+JX+VX+EP", False),  # 진못했
        ("SL", False),
        ("SH", False),
        ("SN", False),
        ("UNKNOWN", False),  # ㅋㅋ
        ("IC", False),
        ("XSV+EC", False),
    ],
)
def test_function_morphemes_are_grammar_alone(pos, function):
    assert is_function(pos) == function


@pytest.mark.parametrize(
    ("pos", "counted"),
    [
        ("NNG", True),
        ("SL", True),
        ("UNKNOWN", True),
        ("EC+JX+VX+EP", True),
        ("JKS", False),
        ("SY", False),
        ("SN", False),
        ("SN+NNBC", False),
    ],
)
def test_grammar_and_numbers_are_not_counted(pos, counted):
    assert is_counted(pos) == counted
