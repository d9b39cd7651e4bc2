"""Endings of a clause, and particles: how the made sentences are conjugated."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from iyu.worker.training.composition.predicates import Predicate

#: Behind 않 and behind 없; what is 아 behind 않 is 어 behind 없.
_DENIED: Final = (
    "{A}요", "{A}", "{P}{E}요", "{P}다", "습니다", "{P}습니다", "다", "네요", "네", "음", "{P}음",
    "더라고요", "{P}네요", "더라", "은 듯", "{P}던 것 같아요",
)  # fmt: skip
_COULD_NOT: Final = ("못했어요", "못하네요", "못함", "못하다", "못했습니다", "못해요")
_FIRST_SYLLABLE: Final = 0xAC00
_SYLLABLES: Final = 11_172
_FINALS: Final = 28


def pick(draw: np.random.Generator, options: Sequence[str]) -> str:
    """Return one of them."""
    return options[int(draw.integers(len(options)))]


def denied(draw: np.random.Generator, stem: str) -> str:
    """Return 않 or 없, conjugated."""
    vowel, past = ("아", "았") if stem.endswith("않") else ("어", "었")
    ending = pick(draw, _DENIED).replace("{A}", vowel).replace("{P}", past).replace("{E}", "어")
    if stem.endswith("없") and ending == "은 듯":
        ending = "는 듯"
    return stem + ending


def is_not(draw: np.random.Generator) -> str:
    """Return 아니다, conjugated."""
    return pick(
        draw, ("아니에요", "아닙니다", "아니다", "아님", "아니네요", "아니었어요", "아니었음")
    )


def stated(draw: np.random.Generator, predicate: Predicate) -> str:
    """Return a predicate as the end of a sentence."""
    p = predicate
    return pick(
        draw,
        (
            f"{p.infinitive}요", p.infinitive, f"{p.past}어요", f"{p.past}습니다", f"{p.past}다",
            f"{p.past}음", f"{p.stem}네요", f"{p.stem}네", f"{p.past}네요", f"{p.modifier} 듯",
            f"{p.past}던 것 같아요", f"{p.modifier} 편이에요",
        ),
    )  # fmt: skip


def negated(draw: np.random.Generator, predicate: Predicate) -> str:
    """Return a predicate with 않, 안 or 못, as the end of a sentence."""
    p, way = predicate, draw.random()
    if way < 0.55:
        return f"{p.stem}{pick(draw, ('지 ', '지 ', '지는 ', '지가 ', '진 '))}{denied(draw, '않')}"
    if way < 0.9 or not p.is_praise:
        return f"안 {stated(draw, p)}"
    return f"{p.stem}지 {pick(draw, _COULD_NOT)}"


def subject_of(noun: str) -> str:
    """Return a noun with 이 or 가."""
    return noun + ("이" if has_final(noun) else "가")


def has_final(word: str) -> bool:
    """Return whether a word ends in a consonant."""
    place = ord(word[-1]) - _FIRST_SYLLABLE
    return 0 <= place < _SYLLABLES and place % _FINALS != 0
