"""What templates draw from: predicates by sign and domain, and how sure a reading is."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from iyu.worker.training.sentences.endings import negated, pick, stated
from iyu.worker.training.sentences.predicates import Phrases, Predicate, phrases, predicates

Draw = np.random.Generator
Made = tuple[str, float]  # a sentence, and the probability that it is praise

#: How sure the reading of a plain or negated sentence is, and of one with two sides.
SURE, TWO_SIDED = 0.95, 0.88
STRONG: Final = (
    "진짜 ", "아주 ", "되게 ", "상당히 ", "엄청 ", "무척 ", "참 ", "꽤 ", "매우 ", "많이 ",
    "", "", "", "", "", "",
)  # fmt: skip
OF_DENIAL: Final = (
    "딱히 ", "그렇게 ", "영 ", "결코 ", "절대 ", "조금도 ", "썩 ", "그다지 ", "하나도 ",
    "생각만큼 ",     "", "", "", "", "", "", "",
)  # fmt: skip
THINGS: Final = (
    "영화", "작품", "제품", "가게", "숙소", "앱", "식당", "물건", "동네", "곳", "드라마", "서비스",
    "호텔", "카페", "책", "게임", "옷", "병원", "상품", "집",
)  # fmt: skip
#: How often the second clause is of the same domain as the first.
_SAME_DOMAIN: Final = 0.8


@dataclass(frozen=True, slots=True)
class Words:
    """The lexicon, ready to be drawn from."""

    by_sign: dict[bool, tuple[Predicate, ...]]
    by_domain: dict[tuple[str, bool], tuple[Predicate, ...]]
    phrases: Phrases

    @classmethod
    def read(cls) -> "Words":
        """Read the lexicon."""
        by_sign: dict[bool, list[Predicate]] = {True: [], False: []}
        by_domain: dict[tuple[str, bool], list[Predicate]] = {}
        for p in predicates():
            by_sign[p.is_praise].append(p)
            by_domain.setdefault((p.domain, p.is_praise), []).append(p)
        return cls(
            {sign: tuple(found) for sign, found in by_sign.items()},
            {key: tuple(found) for key, found in by_domain.items()},
            phrases(),
        )

    def draw(
        self, draw: Draw, is_praise: bool | None = None, near: Predicate | None = None
    ) -> Predicate:
        """Return one, of a kind if it matters, mostly of the domain of another."""
        if is_praise is None:
            is_praise = bool(draw.random() < 0.5)  # as many of each, whatever the table holds
        among = self.by_sign[is_praise]
        if near and draw.random() < _SAME_DOMAIN:
            among = self.by_domain.get((near.domain, is_praise), among)
        return among[int(draw.integers(len(among)))]


def side(is_praise: bool, sure: float = SURE) -> float:
    """Return the probability that a sentence is praise."""
    return sure if is_praise else 1 - sure


def clause(draw: Draw, p: Predicate) -> str:
    """Return a sentence that says it."""
    return f"{pick(draw, p.subjects)} {pick(draw, STRONG)}{stated(draw, p)}"


def denied_clause(draw: Draw, p: Predicate) -> str:
    """Return a sentence that denies it."""
    return f"{pick(draw, p.subjects)} {pick(draw, OF_DENIAL)}{negated(draw, p)}"


def said(draw: Draw, words: Words, is_praise: bool, near: Predicate | None = None) -> str:
    """Return a clause that is praise or blame, plain or negated."""
    if draw.random() < 0.3:
        return denied_clause(draw, words.draw(draw, not is_praise, near))
    return clause(draw, words.draw(draw, is_praise, near))
