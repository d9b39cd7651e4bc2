"""Endings of a clause, and particles: how the made sentences are conjugated."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from iyu.worker.training.sentences.conjugation import Forms, conjugate, has_final
from iyu.worker.training.sentences.predicates import Predicate, Verb

#: Behind 않 and behind 없; what is 아 behind 않 is 어 behind 없.
_DENIED: Final = (
    "{A}요", "{A}", "{P}{E}요", "{P}다", "습니다", "{P}습니다", "다", "네요", "네", "음", "{P}음",
    "더라고요", "{P}네요", "더라", "은 듯", "{P}던 것 같아요",
)  # fmt: skip
_COULD_NOT: Final = ("못했어요", "못하네요", "못함", "못하다", "못했습니다", "못해요")
_FUTURE: Final = ("어요", "네요", "습니다", "다", "네", "음", "더라고요", "더라")

#: Behind 못 추천할.
_HARDLY: Final = ("것 같아요", "듯", "거 같음", "것 같습니다")


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


def ended(draw: np.random.Generator, phrase: str) -> str:
    """Return a set phrase with the ending that its last word takes: 데가 없, 건 아니, 모르겠."""
    if phrase.endswith("아니"):
        return phrase[:-2] + is_not(draw)
    if phrase.endswith(("없", "않")):
        return denied(draw, phrase)
    if phrase.endswith("겠"):
        return phrase + pick(draw, _FUTURE)
    return said_of(draw, conjugate(f"{phrase}다", is_verb=True))


def is_not(draw: np.random.Generator) -> str:
    """Return 아니다, conjugated."""
    return pick(
        draw, ("아니에요", "아닙니다", "아니다", "아님", "아니네요", "아니었어요", "아니었음")
    )


def stated(draw: np.random.Generator, predicate: Predicate) -> str:
    """Return a predicate as the end of a sentence."""
    return said_of(draw, predicate.forms)


def said_of(draw: np.random.Generator, forms: Forms) -> str:
    """Return a predicate's forms as the end of a sentence."""
    f = forms
    return pick(
        draw,
        (
            f"{f.infinitive}요", f.infinitive, f"{f.past}어요", f"{f.past}습니다", f"{f.past}다",
            f"{f.past}음", f"{f.exclaimed}네요", f"{f.exclaimed}네", f"{f.past}네요",
            f"{f.modifier} 듯", f"{f.past}던 것 같아요", f"{f.modifier} 편이에요", f.polite,
            f"{f.infinitive}요", f"{f.past}어요", f"{f.stem}더라고요", f"{f.stem}던데요",
            f"{f.stem}더라", f"{f.stem}거든요", f.noun, f.plain,
            f"{f.future} 것 같아요", f"{f.modifier} 것 같아요",
        ),
    )  # fmt: skip


def negated(draw: np.random.Generator, predicate: Predicate) -> str:
    """Return a predicate with 않, 안 or 못, as the end of a sentence."""
    f, way = predicate.forms, draw.random()
    if way < 0.55 or not predicate.takes_short:
        return f"{f.stem}{pick(draw, ('지 ', '지 ', '지는 ', '지가 ', '진 '))}{denied(draw, '않')}"
    if way < 0.9 or not predicate.is_praise:
        return f"안 {stated(draw, predicate)}"
    return f"{f.stem}지 {pick(draw, _COULD_NOT)}"


def refused(draw: np.random.Generator, verb: Verb) -> str:
    """Return a verb with 안, 않 or 못, as the end of a sentence: 추천 안 해요."""
    way = draw.random()
    before = f"{verb.before} " if verb.before else ""
    if way < 0.45:
        return f"{before}안 {said_of(draw, verb.last)}"
    if way < 0.9 or not verb.is_praise:
        link = pick(draw, ("지 ", "지 ", "지는 ", "진 "))
        return f"{verb.forms.stem}{link}{denied(draw, '않')}"
    return f"{before}못 {verb.last.future} {pick(draw, _HARDLY)}"


def subject_of(noun: str) -> str:
    """Return a noun with 이 or 가."""
    return noun + ("이" if has_final(noun) else "가")
