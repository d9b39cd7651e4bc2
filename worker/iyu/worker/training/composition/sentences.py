"""Sentences made of predicates and templates, with what they are to be read as.

Every template is another than the behaviour test's; grammar, as 지 않다 and 지만, is the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from iyu.worker.training.composition.endings import (
    denied,
    has_final,
    is_not,
    negated,
    pick,
    stated,
    subject_of,
)
from iyu.worker.training.composition.predicates import (
    LACKED_BLAME,
    LACKED_PRAISE,
    PHRASES_BLAME,
    PHRASES_PRAISE,
    VERBS_BLAME,
    VERBS_PRAISE,
    Predicate,
    predicates,
)

Draw = np.random.Generator
Made = tuple[str, float]  # a sentence, and the probability that it is praise

#: How sure the reading of a plain or negated sentence is, and of one with two sides.
SURE, TWO_SIDED = 0.95, 0.88
_OPENERS: Final = (
    "솔직히 ",
    "개인적으로 ",
    "제 기준엔 ",
    "가족이랑 갔는데 ",
    "어제 써봤는데 ",
    "오늘 보니 ",
    "음 ",
    "두 번째인데 ",
    "저한테는 ",
    "이번에는 ",
    "확실히 ",
    "여기 ",
    "일단 ",
    "와 ",
    "근데 ",
    "그리고 ",
)
_STRONG: Final = ("진짜 ", "아주 ", "되게 ", "상당히 ", "엄청 ", "무척 ", "", "", "")
_OF_DENIAL: Final = ("딱히 ", "그렇게 ", "영 ", "결코 ", "절대 ", "조금도 ", "썩 ", "", "", "", "")
_THINGS: Final = [
    "영화",
    "작품",
    "제품",
    "가게",
    "숙소",
    "앱",
    "식당",
    "물건",
    "동네",
    "곳",
    "드라마",
    "서비스",
]
_CLOSERS: Final = ("", "", "", ".", "!", "~", "..", " ㅎ")


@dataclass(frozen=True, slots=True)
class _Words:
    """Predicates to draw from."""

    everything: tuple[Predicate, ...]
    praise: tuple[Predicate, ...]
    blame: tuple[Predicate, ...]

    def draw(self, draw: Draw, is_praise: bool | None = None) -> Predicate:
        """Return one, of a kind if it matters."""
        if is_praise is None:
            is_praise = bool(draw.random() < 0.5)  # as many of each, whatever the table holds
        among = self.praise if is_praise else self.blame
        return among[int(draw.integers(len(among)))]


def make_sentences(count: int, seed: int) -> list[Made]:
    """Return so many, without repeats where there are enough."""
    draw = np.random.default_rng(seed)
    found = tuple(predicates())
    words = _Words(
        found, tuple(p for p in found if p.is_praise), tuple(p for p in found if not p.is_praise)
    )
    makers, shares = zip(*_MAKERS, strict=True)
    chosen = draw.choice(len(makers), size=count, p=np.array(shares) / sum(shares))
    made = {}
    for number in chosen:
        sentence, praise = makers[number](draw, words)
        made[_worn(draw, sentence)] = praise
    return list(made.items())


def _worn(draw: Draw, sentence: str) -> str:
    """Return a sentence as people write: with an opener, less spacing, a slip."""
    if draw.random() < 0.5:
        sentence = pick(draw, _OPENERS) + sentence
    sentence += pick(draw, _CLOSERS)
    slip = draw.random()
    if slip < 0.10:
        return sentence.replace(" ", "")
    if slip < 0.20:
        return sentence.replace("안 ", "안").replace("지 않", "지않")
    if slip < 0.23:
        return sentence.replace("안 ", "않 ", 1)
    if slip < 0.26:
        return sentence.replace("지 않", "지 안", 1)
    return sentence


def _side(is_praise: bool, sure: float = SURE) -> float:
    return sure if is_praise else 1 - sure


def _clause(draw: Draw, p: Predicate) -> str:
    return f"{pick(draw, p.subjects)} {pick(draw, _STRONG)}{stated(draw, p)}"


def _denied_clause(draw: Draw, p: Predicate) -> str:
    return f"{pick(draw, p.subjects)} {pick(draw, _OF_DENIAL)}{negated(draw, p)}"


def _said(draw: Draw, words: _Words, is_praise: bool) -> str:
    """Return a clause that is praise or blame, plain or negated."""
    if draw.random() < 0.3:
        return _denied_clause(draw, words.draw(draw, not is_praise))
    return _clause(draw, words.draw(draw, is_praise))


def _plain(draw: Draw, words: _Words) -> Made:
    p = words.draw(draw)
    return _clause(draw, p), _side(p.is_praise)


def _negation(draw: Draw, words: _Words) -> Made:
    p = words.draw(draw)
    return _denied_clause(draw, p), _side(not p.is_praise)


def _lack(draw: Draw, words: _Words) -> Made:
    is_praise = bool(draw.random() < 0.5)
    noun = pick(draw, LACKED_BLAME if is_praise else LACKED_PRAISE)
    said = subject_of(noun) if draw.random() < 0.8 else noun
    if draw.random() < 0.25:  # the noun itself, which is the other way round
        there = pick(draw, ("있어요", "있네요", "있음", "있었다", "느껴져요", "많아요", "많네요"))
        return f"{said} {pick(draw, _STRONG)}{there}", _side(not is_praise)
    if draw.random() < 0.3:
        return f"{said} 없는 {pick(draw, _THINGS)}", _side(is_praise)
    adverb = pick(draw, ("전혀 ", "거의 ", "아예 ", "하나 ", "", "", ""))
    return f"{said} {adverb}{denied(draw, '없')}", _side(is_praise)


def _verb(draw: Draw, words: _Words) -> Made:
    is_praise = bool(draw.random() < 0.5)
    verbs = VERBS_BLAME if is_praise else VERBS_PRAISE
    stem, infinitive = verbs[int(draw.integers(len(verbs)))]
    if draw.random() < 0.25:
        return f"{pick(draw, _STRONG)}{infinitive}요", _side(not is_praise)
    if draw.random() < 0.4:
        return f"{pick(draw, _OF_DENIAL)}안 {infinitive}요", _side(is_praise)
    return f"{pick(draw, _OF_DENIAL)}{stem}지 {denied(draw, '않')}", _side(is_praise)


def _phrase(draw: Draw, words: _Words) -> Made:
    is_praise = bool(draw.random() < 0.5)
    phrase = pick(draw, PHRASES_PRAISE if is_praise else PHRASES_BLAME)
    subject = pick(
        draw, ("이 영화는 ", "이 제품은 ", "여기는 ", "이 앱은 ", "정말 ", "참 ", "", "")
    )
    said = phrase[:-2] + is_not(draw) if phrase.endswith("아니") else denied(draw, phrase)
    return subject + said, _side(is_praise)


def _part(draw: Draw, words: _Words) -> Made:
    p = words.draw(draw)
    noun = pick(draw, ("구석이", "부분이", "면이", "곳이", "느낌이", "데라곤"))
    if draw.random() < 0.3:
        there = pick(draw, ("있어요", "많아요", "많네요", "좀 있음", "많았다"))
        return f"{p.modifier} {noun.replace('데라곤', '데가')} {there}", _side(p.is_praise)
    adverb = pick(draw, ("전혀 ", "거의 ", "하나도 ", "아예 ", "", ""))
    return f"{p.modifier} {noun} {adverb}{denied(draw, '없')}", _side(not p.is_praise)


def _no_such_thing(draw: Draw, words: _Words) -> Made:
    p, thing = words.draw(draw), pick(draw, _THINGS)
    ways = (
        f"{p.modifier} {subject_of(thing)} {is_not(draw)}",
        f"{p.modifier} 건 {is_not(draw)}",
        f"{p.modifier} 것 같지는 {denied(draw, '않')}",
        f"{p.modifier} {thing}{'이' if has_final(thing) else ''}라고는 못 하겠어요",
    )
    return pick(draw, ways), _side(not p.is_praise)


def _double(draw: Draw, words: _Words) -> Made:
    p = words.draw(draw)
    subject = pick(draw, p.subjects)
    ways = (
        f"{subject} {p.stem}지 않은 게 {is_not(draw)}",
        f"{subject} 안 {p.modifier} 게 {is_not(draw)}",
        f"{subject} {p.stem}지 않다고 볼 수 {denied(draw, '없')}",
        f"{subject} 안 {p.modifier} 부분이 {denied(draw, '없')}",
        f"{p.stem}지 않은 날이 {denied(draw, '없')}",
        f"{subject} {p.stem}지 않다고 말하지는 못해요",
        f"{subject} {p.stem}지 않다는 건 {pick(draw, ('거짓', '틀린 말', '말도 안 되는 소리'))}",
        f"{subject} {p.stem}지 않을 리가 {denied(draw, '없')}",
    )
    return pick(draw, ways), _side(p.is_praise, TWO_SIDED)


def _contrast(draw: Draw, words: _Words) -> Made:
    is_praise = bool(draw.random() < 0.5)
    a = words.draw(draw, not is_praise)
    subject = pick(draw, a.subjects)
    firsts = (
        f"{a.stem}긴 하지만",
        f"{a.stem}긴 한데",
        f"{a.stem}기는 해도",
        f"{a.infinitive}도",
        f"{a.past}으나",
        f"{pick(draw, _STRONG)}{a.stem}지만,",
        f"{pick(draw, _STRONG)}{a.modifier}데,",
        f"{a.past}지만 그래도",
        f"{a.past}는데 그래도",
        f"{a.past}어요. 하지만",
        f"{a.past}음. 근데",
        f"{a.stem}다 해도",
    )
    first = pick(draw, firsts)
    if draw.random() < 0.25:
        b = words.draw(draw, is_praise)
        subject = pick(draw, b.subjects)
        first = pick(draw, (f"{b.stem}지는 않지만", f"안 {b.modifier}데", f"{b.stem}진 않아도"))
    return f"{subject} {first} {_said(draw, words, is_praise)}", _side(is_praise, TWO_SIDED)


def _expected(draw: Draw, words: _Words) -> Made:
    p = words.draw(draw)
    firsts = (
        f"{p.future} 줄 알았는데",
        f"{p.future} 줄 알았더니",
        f"{p.future} 줄만 알았는데",
        f"{p.future} 거라 생각했는데",
        f"{p.future} 거라고 예상했지만",
        f"{p.future} 줄 알고 봤는데",
    )
    last = pick(
        draw,
        (
            "그게 아니었음",
            "그렇지 않네요",
            "착각이었어요",
            "아니네",
            "그렇지 않았다",
            "천만에요",
            _said(draw, words, not p.is_praise),
            _said(draw, words, not p.is_praise),
        ),
    )
    return f"{pick(draw, p.subjects)} {pick(draw, firsts)} {last}", _side(
        not p.is_praise, TWO_SIDED
    )


def _hoped(draw: Draw, words: _Words) -> Made:
    is_praise = bool(draw.random() < 0.5)
    low = (
        "별 기대 없었는데",
        "기대를 안 하고 왔는데",
        "기대감 제로였는데",
        "걱정이 많았는데",
        "큰 기대는 안 했지만",
    )
    high = (
        "기대 많이 했는데",
        "기대하고 주문했는데",
        "잔뜩 기대했지만",
        "믿고 골랐는데",
        "설레며 기다렸는데",
    )
    return f"{pick(draw, low if is_praise else high)} {_said(draw, words, is_praise)}", _side(
        is_praise
    )


def _reported(draw: Draw, words: _Words) -> Made:
    p = words.draw(draw)
    subject = pick(draw, p.subjects)
    firsts = (
        f"{subject} {p.stem}다고들 하던데",
        f"{subject} {p.stem}다길래 걱정했는데"
        if not p.is_praise
        else f"{subject} {p.stem}다길래 믿었는데",
        f"{subject} {p.stem}다는 평과 달리",
        f"친구는 {subject} {p.stem}다고 했지만",
        f"{subject} {p.stem}다는 후기가 많았는데",
        f"누가 {subject} {p.stem}다고 했나요",
    )
    lasts = (
        _said(draw, words, not p.is_praise),
        _said(draw, words, not p.is_praise),
        "실제로는 그렇지 않았어요",
        "써보니 아닌데요",
        "직접 보면 그렇지 않아요",
        "제가 볼 땐 아닙니다",
    )
    return f"{pick(draw, firsts)} {pick(draw, lasts)}", _side(not p.is_praise, TWO_SIDED)


def _together(draw: Draw, words: _Words) -> Made:
    is_praise = bool(draw.random() < 0.5)
    p, q = words.draw(draw, is_praise), words.draw(draw, not is_praise)
    if draw.random() < 0.5:
        first = f"{pick(draw, p.subjects)} {p.stem}고"
    else:
        links = (f"{q.stem}지 않고", f"안 {q.stem}고", f"{q.stem}지도 않고")
        first = f"{pick(draw, q.subjects)} {pick(draw, links)}"
    return f"{first} {_said(draw, words, is_praise)}", _side(is_praise)


#: What makes sentences, and how many of them in comparison.
_MAKERS: Final[tuple[tuple[Callable[[Draw, _Words], Made], float], ...]] = (
    (_plain, 2.0),
    (_negation, 4.0),
    (_lack, 1.2),
    (_verb, 0.8),
    (_phrase, 1.2),
    (_part, 0.9),
    (_no_such_thing, 0.7),
    (_double, 0.8),
    (_contrast, 2.5),
    (_expected, 1.0),
    (_hoped, 0.8),
    (_reported, 1.2),
    (_together, 1.2),
)
