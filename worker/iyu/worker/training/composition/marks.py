"""Which morphemes negate, stop a negation, or turn a sentence round, by rule.

The gates begin with these marks and learn on from there (`iyu.worker.model.scope`).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.scope import AFTER, BEFORE, STOPS, STRENGTHS, TURNS
from iyu.worker.text.morphemes import Morphemes

_ADVERBS: Final = frozenset(("안", "못"))
_LACK: Final = ("없", "업")
_IS_NOT: Final = ("아니", "아닌", "아님", "아닙", "아닐", "아녜", "아녀")
_DENY: Final = ("않", "못")
_LINKS: Final = ("고", "며", "서", "데", "지만", "나", "니", "니까", "더니", "도", "면")
_CONTRAST: Final = ("지만", "데", "으나", "더니", "지만은", "데도")
_HOWEVER: Final = frozenset(
    ("하지만", "그러나", "근데", "그런데", "그래도", "그렇지만", "반면", "다만")
)
_PUNCTUATION: Final = ("SF", "SC")


def mark(text: Morphemes) -> NDArray[np.float32]:
    """Return 1 for what each token does, else 0: (tokens, STRENGTHS)."""
    marks = np.zeros((len(text), STRENGTHS), np.float32)
    before = ""
    for i, (surface, tag) in enumerate(zip(text.surfaces, text.tags, strict=True)):
        marks[i, BEFORE] = _negates_before(surface, tag, before)
        marks[i, AFTER] = surface in _ADVERBS and tag == "MAG"
        marks[i, STOPS] = _stops(surface, tag)
        marks[i, TURNS] = _turns(surface, tag)
        before = surface
    return marks


def negates(marks: NDArray[np.float32]) -> bool:
    """Return whether any token of a text negates another."""
    return bool(marks[:, [BEFORE, AFTER]].any())


def _negates_before(surface: str, tag: str, before: str) -> bool:
    if tag.startswith("VX"):
        return surface.startswith(_DENY)
    if before == "줄" and surface.startswith("알"):  # 재밌을 줄 알았는데
        return True
    first = tag.split("+", maxsplit=1)[0]
    return (
        (first in ("VA", "VV") and surface.startswith(_LACK))
        or (first == "VCN" and surface.startswith(_IS_NOT))
        or surface in ("없이", "아니다", "않", "않다")
    )


def _stops(surface: str, tag: str) -> bool:
    if tag in _PUNCTUATION or tag == "MAJ":
        return True
    return tag.endswith("EC") and surface.endswith(_LINKS)


def _turns(surface: str, tag: str) -> bool:
    return surface in _HOWEVER or (tag.endswith("EC") and surface.endswith(_CONTRAST))


def mark_windows(cut: Sequence[Morphemes], length: int) -> NDArray[np.float32]:
    """Return the marks of the last `length` tokens of each text, one after the other."""
    return np.concatenate([mark(text)[-length:] for text in cut])
