"""Sentences made of the lexicon and templates, with what they are to be read as.

Every template is another than the behaviour test's; grammar, as 지 않다 and 지만, is the same.
"""

from typing import Final

import numpy as np

from iyu.worker.training.sentences import compound, simple
from iyu.worker.training.sentences.endings import pick
from iyu.worker.training.sentences.words import Draw, Made, Words

_OPENERS: Final = (
    "솔직히 ", "개인적으로 ", "제 기준엔 ", "가족이랑 갔는데 ", "어제 써봤는데 ", "오늘 보니 ",
    "음 ", "두 번째인데 ", "저한테는 ", "이번에는 ", "확실히 ", "여기 ", "일단 ", "와 ", "근데 ",
    "그리고 ", "주말에 다녀왔는데 ", "친구랑 먹었는데 ", "며칠 써보니 ", "처음 주문했는데 ",
    "다른 건 몰라도 ", "생각보다 ", "역시 ", "전체적으로 ", "받아보니 ",
)  # fmt: skip
_CLOSERS: Final = ("", "", "", "", ".", ".", "!", "~", "..", " ㅎ")
#: What makes sentences, and how many of them in comparison.
_MAKERS: Final = (
    (simple.plain, 5.0),
    (simple.negation, 5.0),
    (simple.lack, 1.2),
    (simple.verb, 1.4),
    (simple.phrase, 1.4),
    (simple.part, 0.8),
    (simple.no_such_thing, 0.7),
    (simple.double, 1.0),
    (compound.contrast, 3.0),
    (compound.expected, 1.2),
    (compound.hoped, 1.0),
    (compound.reported, 1.6),
    (compound.together, 1.4),
)


def make_sentences(count: int, seed: int) -> list[Made]:
    """Return so many, without repeats where there are enough."""
    draw = np.random.default_rng(seed)
    words = Words.read()
    makers, shares = zip(*_MAKERS, strict=True)
    chosen = draw.choice(len(makers), size=count, p=np.array(shares) / sum(shares))
    made = {}
    for number in chosen:
        sentence, praise = makers[number](draw, words)
        made[_worn(draw, sentence)] = praise
    return list(made.items())


def _worn(draw: Draw, sentence: str) -> str:
    """Return a sentence as people write: with an opener, less spacing, a slip."""
    if draw.random() < 0.4:
        sentence = pick(draw, _OPENERS) + sentence
    closer = pick(draw, _CLOSERS)
    sentence += "" if sentence.endswith("?") else closer
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
