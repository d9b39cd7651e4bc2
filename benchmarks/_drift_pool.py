"""Real reviews, scored once: what a simulation of drift draws from."""

import csv
import gzip
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks._report import progress
from iyu.schemas.contract.morpheme_tags import is_counted
from iyu.schemas.contract.review import Review, admit
from iyu.worker.scoring import Prediction, Scorer
from iyu.worker.training.data import read_labelled

CHUNK: Final = 512
#: Reviews that the planted changes are made from, and of those the ones that take a new word.
CHANGED: Final = 20_000
SLANG_IN: Final = 4_000
#: New words: MeCab cuts the first into pieces that the vocabulary knows, the second not.
SLANG: Final = {"slang": "킹받네", "slang-unknown": "오운완"}
BLANKS_DROPPED: Final = 0.3
#: Ratings that the corpus leaves out of its labels.
_LUKEWARM: Final = frozenset("5678")

_THINGS: Final = (
    "배송이", "포장이", "사이즈가", "색상이", "재질이", "바느질이", "향이", "배터리가", "화면이",
    "버튼이", "상담이", "환불이", "설치가", "두께가", "마감이", "소음이", "무게가", "길이가",
)  # fmt: skip
#: What is said of two things, and how a review ends; all of one mind.
_PRAISE: Final = (
    ("좋고", "마음에 들고", "괜찮고", "만족스럽고"),
    ("좋아요", "딱 좋네요", "마음에 들어요", "만족합니다"),
    ("재구매 의사 있습니다", "잘 쓰겠습니다", "추천합니다", "선물하기 좋아요", ""),
)
_BLAME: Final = (
    ("별로고", "엉망이고", "형편없고", "불편하고"),
    ("별로예요", "실망이에요", "마음에 안 들어요", "엉망이네요"),
    ("반품했습니다", "다시는 안 사요", "돈이 아까워요", "사지 마세요", ""),
)


@dataclass(frozen=True, slots=True)
class Pool:
    """Reviews as columns; a word of a review is (row, word) with its heat there."""

    probability: NDArray[np.float64]
    label: NDArray[np.int8]  # of the file; −1 where there is none
    tokens: NDArray[np.int64]
    unknown: NDArray[np.int64]
    truncated: NDArray[np.int64]
    rows: NDArray[np.int64]  # (holdings,) sorted; as the next two
    words: NDArray[np.int64]
    heats: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.probability)


Pools = dict[str, Pool]


def pools(reviews: Path, rated: Path, model: str, kept: Path) -> tuple[Pools, list[str]]:
    """Return real and changed reviews, and all words; scored now or read from `kept`.

    rated: a file of reviews with ratings, of which those that are neither good nor bad are taken.
    """
    if not kept.is_file():
        _score_all(reviews, rated, model, kept)
    with np.load(kept) as stored:
        fields = Pool.__dataclass_fields__
        names = sorted({name.partition(".")[0] for name in stored.files if "." in name})
        found = {name: Pool(**{f: stored[f"{name}.{f}"] for f in fields}) for name in names}
        return found, stored["surfaces"].tolist()


def _score_all(reviews: Path, rated: Path, model: str, kept: Path) -> None:
    data = read_labelled(reviews)
    draw = random.Random(7)
    few = range(min(CHANGED, len(data)))
    sides: dict[str, tuple[Sequence[str], Any]] = {
        "real": (data.texts, data.labels),
        "blanks": ([_without_blanks(data.texts[i], draw) for i in few], data.labels[few]),
        "lukewarm": _lukewarm(rated),
        "shop": _shop(),
    }
    some = few[:SLANG_IN]
    for name, word in SLANG.items():
        sides[name] = ([f"{word} {data.texts[i]}" for i in some], data.labels[some])
    scorer = Scorer.load(model)
    numbers: dict[tuple[str, str], int] = {}
    columns: dict[str, NDArray[np.generic]] = {}
    for name, (texts, labels) in sides.items():
        progress.print(f"scoring {len(texts):,} reviews: {name}")
        parts = (texts[i : i + CHUNK] for i in range(0, len(texts), CHUNK))
        predictions = [p for part in parts for p in scorer.score(part)]
        found = _columns(predictions, numbers) | {"label": np.asarray(labels, np.int8)}
        columns |= {f"{name}.{field}": values for field, values in found.items()}
    columns["surfaces"] = np.array([f"{surface}/{pos}" for surface, pos in numbers])
    np.savez_compressed(kept, **columns)  # type: ignore[arg-type]


def _columns(
    predictions: Sequence[Prediction], numbers: dict[tuple[str, str], int]
) -> dict[str, NDArray[np.generic]]:
    held = [
        (row, numbers.setdefault(word, len(numbers)), heat)
        for row, prediction in enumerate(predictions)
        for word, heat in _words(prediction).items()
    ]
    rows, words, heats = zip(*held, strict=True)
    return {
        "probability": np.array([p.probability for p in predictions]),
        "tokens": np.array([p.token_count for p in predictions]),
        "unknown": np.array([p.unknown_count for p in predictions]),
        "truncated": np.array([int(p.truncated) for p in predictions]),
        "rows": np.array(rows),
        "words": np.array(words),
        "heats": np.array(heats),
    }


def _words(prediction: Prediction) -> dict[tuple[str, str], float]:
    """Return a review's words as the daily sums count them."""
    why = prediction.explanations[0]
    found: dict[tuple[str, str], float] = {}
    for surface, tag, heat in zip(
        why.morphemes.surfaces, why.morphemes.tags, why.counted_heats, strict=True
    ):
        if heat is not None and is_counted(tag):
            found[surface, tag] = found.get((surface, tag), 0.0) + heat
    return found


def _without_blanks(text: str, draw: random.Random) -> str:
    return re.sub(" ", lambda _: "" if draw.random() < BLANKS_DROPPED else " ", text)


def _lukewarm(rated: Path) -> tuple[list[str], list[int]]:
    """Return reviews whose rating is neither good nor bad; they have no label."""
    found: list[str] = []
    with gzip.open(rated, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            review = admit(row["id"], row["document"])
            if row["rating"] in _LUKEWARM and isinstance(review, Review):
                found.append(review.text)
            if len(found) == CHANGED:
                break
    return found, [-1] * len(found)


def _shop() -> tuple[list[str], list[int]]:
    """Return made reviews of things that shops sell, and their labels."""
    made = list(_made_shop())
    random.Random(3).shuffle(made)
    texts, labels = zip(*made, strict=True)
    return list(texts), list(labels)


def _made_shop() -> Iterator[tuple[str, int]]:
    pairs = zip(_THINGS, _THINGS[5:] + _THINGS[:5], strict=True)
    for (thing, other), (label, said) in product(pairs, enumerate((_BLAME, _PRAISE))):
        for first, second, end in product(*said):
            yield f"{thing} {first} {other} {second} {end}".strip(), label
