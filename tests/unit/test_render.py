"""A review on a terminal says which words pulled which way."""

from iyu.console.terminal.coloured_heat import heated

TEXT = "사랑은 있는데 억지 감동"


def token(surface: str, heat: float | None) -> dict[str, object]:
    start = TEXT.index(surface)
    return {"surface": surface, "start": start, "end": start + len(surface), "heat": heat}


TOKENS = [token("사랑", 1.0), token("은", 0.01), token("억지", -2.0), token("감동", None)]


def test_without_colour_strong_words_carry_signs_and_no_letter_is_lost():
    marked = heated(TEXT, TOKENS, colour=False).plain
    assert marked == "[+사랑]은 있는데 [--억지] 감동"


def test_with_colour_the_text_stays_as_it_is_and_both_directions_differ():
    text = heated(TEXT, TOKENS, colour=True)
    styles = {TEXT[span.start : span.end]: span.style for span in text.spans}
    assert text.plain == TEXT
    assert set(styles) == {"사랑", "억지"}  # a faint word and one without heat stay plain
    assert styles["사랑"] != styles["억지"]


def test_a_review_without_any_heat_is_shown_plain():
    assert heated(TEXT, [token("사랑", 0.0)], colour=False).plain == TEXT
