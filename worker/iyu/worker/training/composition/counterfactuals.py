"""Labelled reviews with their last predicate negated: they get the other label.

Only where the rest of a review says little, so that the predicate decides: short reviews, without a
negation of their own, whose predicate has in the whole corpus the sign of their label.
Source: Kaushik et al. 2020, Learning the Difference that Makes a Difference, §3, there by people.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.text.morphemes import Morphemes
from iyu.worker.training.composition.marks import mark, negates

#: Tokens of a review that is short enough.
_SHORT: Final = 10
#: Log-odds of a predicate that decides, and the most that any other word may have the same way.
_DECIDES, _SAYS = 1.3, 1.2
_SEEN: Final = 5  # reviews that a word has to stand in
#: What the other label is worth: praise that is denied is blame, denied blame is faint praise.
_DENIED_PRAISE, _DENIED_BLAME = 0.07, 0.88
#: The ending behind a stem → the same behind 지 않.
_ENDINGS: Final = {
    "다": "다", "네요": "네요", "네": "네", "습니다": "습니다", "어요": "아요", "아요": "아요",
    "음": "음", "고": "고", "은데": "은데", "는데": "은데", "더라": "더라", "었": "았", "았": "았",
    "던데": "던데", "지만": "지만", "구나": "구나", "군": "군", "지": "지",
}  # fmt: skip
_STEMS: Final = frozenset(("VA", "VV", "XSA", "XSV"))
_ROOTS: Final = frozenset(("NNG", "XR"))
_END: Final = ("E", "S", "I", "J")


def counterfactuals(
    cut: Sequence[Morphemes], labels: NDArray[np.int8], seed: int
) -> Iterator[tuple[str, float]]:
    """Return texts, and the probability that each is praise."""
    odds = log_odds(cut, labels)
    draw = np.random.default_rng(seed)
    for text, label in zip(cut, labels.tolist(), strict=True):
        place = _deciding(text, label, odds)
        if place is not None and (made := _denied(text, place, draw)):
            yield made, _DENIED_PRAISE if label else _DENIED_BLAME


def log_odds(cut: Sequence[Morphemes], labels: NDArray[np.int8]) -> Mapping[tuple[str, str], float]:
    """Return how much oftener a word stands in praise: log of the ratio, by surface and tag."""
    found = (Counter[tuple[str, str]](), Counter[tuple[str, str]]())
    for text, label in zip(cut, labels.tolist(), strict=True):
        if not negates(mark(text)):
            found[label].update(set(zip(text.surfaces, text.tags, strict=True)))
    blame, praise = found
    return {
        word: log((praise[word] + 1) / (blame[word] + 1))
        for word in praise.keys() | blame.keys()
        if praise[word] + blame[word] >= _SEEN
    }


def _deciding(text: Morphemes, label: int, odds: Mapping[tuple[str, str], float]) -> int | None:
    """Return the place of the last predicate's stem if it decides, and nothing negates."""
    if not 2 <= len(text) <= _SHORT or negates(mark(text)):
        return None
    place = next(
        (i for i in reversed(range(len(text))) if text.tags[i].split("+")[0] in _STEMS), -1
    )
    if (
        place < 0
        or text.surfaces[place] < "가"
        or not all(tag.startswith(_END) for tag in text.tags[place + 1 :])
    ):
        return None
    sign = 1 if label else -1
    of = [sign * odds.get(word, 0.0) for word in zip(text.surfaces, text.tags, strict=True)]
    own = range(_begin(text, place), place + 1)
    decides = max(of[i] for i in own) >= _DECIDES and min(of[i] for i in own) > -_DECIDES
    others = [of[i] for i in range(len(text)) if i not in own]
    return place if decides and max(others, default=0.0) < _SAYS else None


def _begin(text: Morphemes, place: int) -> int:
    """Return where the predicate begins: 추천 of 추천하."""
    joined = text.tags[place].startswith("XS") and place and text.tags[place - 1] in _ROOTS
    return place - 1 if joined else place


def _denied(text: Morphemes, place: int, draw: np.random.Generator) -> str | None:
    """Return the text with 지 않 behind its predicate, or 안 before it; None if neither fits."""
    whole, end = text.text, text.ends[place]
    after = place + 1
    plain = "+" not in text.tags[place] and after < len(text) and text.starts[after] == end
    if plain and text.surfaces[after] in _ENDINGS and draw.random() < 0.7:
        link = ("지 않", "지 않", "지는 않", "지않")[int(draw.integers(4))]
        ending = _ENDINGS[text.surfaces[after]]
        return whole[:end] + link + ending + whole[text.ends[after] :]
    # 안 stands before an adjective, and between noun and 하다.
    begin = text.starts[place if text.tags[place].startswith("XSV") else _begin(text, place)]
    return whole[:begin].rstrip() + (" " if begin else "") + "안 " + whole[begin:]
