"""Templates of two clauses: contrast, expectation, what others say, both of one kind."""

from typing import Final

from iyu.worker.training.sentences.endings import pick
from iyu.worker.training.sentences.words import (
    STRONG,
    TWO_SIDED,
    Draw,
    Made,
    Words,
    said,
    side,
)

_LOW: Final = (
    "별 기대 없었는데", "기대를 안 하고 왔는데", "기대감 제로였는데", "걱정이 많았는데",
    "큰 기대는 안 했지만", "반신반의했는데", "걱정하면서 시켰는데", "의심하면서 샀는데",
    "속는 셈 치고 샀는데", "기대치가 낮았는데",
)  # fmt: skip
_HIGH: Final = (
    "기대 많이 했는데", "기대하고 주문했는데", "잔뜩 기대했지만", "믿고 골랐는데",
    "설레며 기다렸는데", "평이 좋아서 갔는데", "후기 믿고 샀는데", "추천받아서 갔는데",
    "유명하다길래 가봤는데", "비싼 돈 주고 샀는데",
)  # fmt: skip


def contrast(draw: Draw, words: Words) -> Made:
    """위치가 외지긴 하지만 방이 편해요."""
    is_praise = bool(draw.random() < 0.5)
    a = words.draw(draw, not is_praise)
    subject, f = pick(draw, a.subjects), a.forms
    firsts = (
        f"{f.stem}긴 하지만",
        f"{f.stem}긴 한데",
        f"{f.stem}기는 해도",
        f"{f.infinitive}도" if not f.stem.endswith("이") else f"{f.stem}어도",
        f"{f.past}으나",
        f"{pick(draw, STRONG)}{f.stem}지만,",
        f"{pick(draw, STRONG)}{f.modifier}데,",
        f"{pick(draw, STRONG)}{f.past}는데",
        f"{f.past}지만 그래도",
        f"{f.past}는데 그래도",
        f"{f.past}어요. 하지만",
        f"{f.past}음. 근데",
        f"{f.plain}. 그런데",
        f"{f.stem}지만 대신",
        f"{f.stem}다 해도" if f.quoted.endswith("다") else f"{f.quoted} 해도",
        f"{f.modifier} 반면",
        f"{f.modifier} 것만 빼면",
        f"{f.modifier} 대신",
    )
    first = pick(draw, firsts)
    near = a
    if draw.random() < 0.25:
        near = b = words.draw(draw, is_praise)
        subject, g = pick(draw, b.subjects), b.forms
        short = f"안 {g.modifier}데" if b.takes_short else f"{g.stem}지는 않은데"
        first = pick(draw, (f"{g.stem}지는 않지만", short, f"{g.stem}진 않아도"))
    return f"{subject} {first} {said(draw, words, is_praise, near)}", side(is_praise, TWO_SIDED)


def expected(draw: Draw, words: Words) -> Made:
    """방이 편할 거라 생각했는데 그렇지 않네요."""
    p = words.draw(draw)
    future = p.forms.future
    firsts = (
        f"{future} 줄 알았는데",
        f"{future} 줄 알았더니",
        f"{future} 줄만 알았는데",
        f"{future} 거라 생각했는데",
        f"{future} 거라고 예상했지만",
        f"{future} 줄 알고 봤는데",
        f"{future} 줄 알고 시켰는데",
        f"{future} 거라 기대했지만" if p.is_praise else f"{future}까 걱정했는데",
    )
    other = said(draw, words, not p.is_praise, p)
    lasts = (
        "그게 아니었음", "그렇지 않네요", "착각이었어요", "아니네", "그렇지 않았다", "천만에요",
        "그건 아니더라고요", "완전 반대였어요", "정반대네요", other, other, other,
    )  # fmt: skip
    return f"{pick(draw, p.subjects)} {pick(draw, firsts)} {pick(draw, lasts)}", side(
        not p.is_praise, TWO_SIDED
    )


def hoped(draw: Draw, words: Words) -> Made:
    """큰 기대는 안 했지만 방이 편했어요."""
    is_praise = bool(draw.random() < 0.5)
    first = pick(draw, _LOW if is_praise else _HIGH)
    return f"{first} {said(draw, words, is_praise)}", side(is_praise)


def reported(draw: Draw, words: Words) -> Made:
    """방이 편하다고들 하던데 실제로는 그렇지 않았어요."""
    p = words.draw(draw)
    subject, quoted = pick(draw, p.subjects), p.forms.quoted
    firsts = (
        f"{subject} {quoted}고들 하던데",
        f"{subject} {quoted}길래 {'믿었는데' if p.is_praise else '걱정했는데'}",
        f"{subject} {quoted}는 평과 달리",
        f"친구는 {subject} {quoted}고 했지만",
        f"{subject} {quoted}는 후기가 많았는데",
        f"누가 {subject} {quoted}고 했나요",
        f"다들 {subject} {quoted}고 하지만",
        f"{subject} {quoted}는 말이 많던데",
        f"{subject} {quoted}고 소문났던데",
        f"{subject} {quoted}기에 {'기대했지만' if p.is_praise else '망설였지만'}",
    )
    other = said(draw, words, not p.is_praise, p)
    lasts = (
        "실제로는 그렇지 않았어요", "써보니 아닌데요", "직접 보면 그렇지 않아요",
        "제가 볼 땐 아닙니다", "사실과 다르네요", "절대 그렇지 않습니다", "저는 반대로 느꼈어요",
        other, other, other, other,
    )  # fmt: skip
    return f"{pick(draw, firsts)} {pick(draw, lasts)}", side(not p.is_praise, TWO_SIDED)


def together(draw: Draw, words: Words) -> Made:
    """방이 넓고 직원이 무례하지 않아요."""
    is_praise = bool(draw.random() < 0.5)
    p, q = words.draw(draw, is_praise), words.draw(draw, not is_praise)
    if draw.random() < 0.5:
        first, near = f"{pick(draw, p.subjects)} {p.forms.stem}고", p
    else:
        stem = q.forms.stem
        short = f"안 {stem}고" if q.takes_short else f"{stem}지 않고"
        links = (f"{stem}지 않고", short, f"{stem}지도 않고", f"{stem}지 않아서")
        first, near = f"{pick(draw, q.subjects)} {pick(draw, links)}", q
    return f"{first} {said(draw, words, is_praise, near)}", side(is_praise)
