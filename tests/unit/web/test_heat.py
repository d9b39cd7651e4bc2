"""A review's tokens merged into what a reader reads."""

from hypothesis import given
from hypothesis import strategies as st

from iyu.console.web.charts.heat import heated_text, level_class


def token(surface: str, start: int, heat: float | None) -> dict[str, object]:
    return {"surface": surface, "start": start, "pos": "NNG", "heat": heat, "is_function": 0}


def test_an_eojeol_has_the_sum_of_its_morphemes():
    it = heated_text(
        "영화가 별로", [token("영화", 0, 0.5), token("가", 2, -0.1), token("별로", 4, -1.0)]
    )
    words = [piece for piece in it.pieces if piece.text.strip()]
    assert [(piece.text, piece.heat) for piece in words] == [("영화가", 0.4), ("별로", -1.0)]
    assert [one.surface for one in words[0].morphemes] == ["영화", "가"]
    assert words[1].level == -4
    assert words[0].level == 2  # 0.4 of the greatest
    assert (it.up, it.down) == (("영화가",), ("별로",))


def test_what_the_model_did_not_see_is_outside_and_not_neutral():
    it = heated_text("가 나 다", [token("가", 0, None), token("나", 2, 0.0), token("다", 4, 1.0)])
    assert [piece.css for piece in it.pieces if piece.text.strip()] == ["out", "", "u4"]
    assert it.outside == 1
    assert "".join(piece.text for piece in it.within.pieces).strip() == "나 다"


def test_a_review_without_heat_is_plain():
    it = heated_text("아무 말", [])
    assert it.drawn == [("", "아무 말")]
    assert (it.up, it.down, it.outside) == ((), (), 0)


@given(
    st.text(min_size=1, max_size=60),
    st.lists(st.one_of(st.none(), st.floats(-5, 5)), max_size=20),
)
def test_no_character_is_lost_and_no_token_left_out(text: str, heats: list[float | None]):
    places = [i for i, letter in enumerate(text) if not letter.isspace()][: len(heats)]
    tokens = [token(text[i], i, heat) for i, heat in zip(places, heats, strict=False)]
    it = heated_text(text, tokens)
    assert "".join(piece.text for piece in it.pieces) == text
    assert "".join(shown for _, shown in it.drawn) == text
    assert len(it.morphemes) == len(tokens)
    assert all(-4 <= piece.level <= 4 for piece in it.pieces)


def test_levels_have_classes():
    assert [level_class(level) for level in (-4, 0, 1)] == ["d4", "", "u1"]
