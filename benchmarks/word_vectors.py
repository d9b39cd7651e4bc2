"""Word vectors for `iyu train --word-vectors`, from the language model that Kiwi has.

    pip install kiwipiepy==0.24.1
    python -m benchmarks.word_vectors wide/vocabulary.json vectors.npz

Kiwi (kiwipiepy and kiwipiepy_model, LGPL) knows how alike two morphemes are in text of every
kind. Each morpheme's likeness to some hundred others, without what all have in common and turned
to as many dimensions that do not depend on each other, is its vector; a word of the vocabulary has
the mean of its morphemes'. Adjectives that the vocabulary lacks are added, in the forms that the
analyser leaves whole. Needs neither ratings nor reviews. Takes some six minutes.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from iyu.worker.training.sentences.conjugation import conjugate

_ANCHORS: Final = 290
_DIMENSIONS: Final = 256
_EVERY: Final = 400_000  # more morphemes than the model has
#: Tags of morphemes that mean something.
_CONTENT: Final = ("N", "VV", "VA", "XR", "MAG", "IC", "VX", "MM")
_NOT: Final = ("NP", "NR")
_LONGEST: Final = 6  # syllables of an adjective that is added


def main(vocabulary: Path, out: Path) -> None:
    """Write the vectors of a vocabulary's words."""
    kiwi = import_module("kiwipiepy").Kiwi(model_type="cong")
    made_of = {word: _morphemes(kiwi, word) for word in orjson.loads(vocabulary.read_bytes())}
    for form, number in _adjectives(kiwi):
        made_of.setdefault(form, [number])
    vectors = _vectors(kiwi, sorted({m for found in made_of.values() for m in found}))
    mean = {
        word: np.mean([vectors[m] for m in found if m in vectors], axis=0)
        for word, found in made_of.items()
        if any(m in vectors for m in found)
    }
    table = np.stack(list(mean.values()))
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-6)
    words = np.frombuffer("\n".join(mean).encode(), np.uint8)
    np.savez(out, words=words, vectors=table.astype(np.float16))
    sys.stdout.write(f"{len(mean):,} words in {out}\n")


def _morphemes(kiwi: Any, word: str) -> list[int]:
    found = [t for t in kiwi.tokenize(word) if t.tag.startswith(_CONTENT) and t.tag not in _NOT]
    main = [t for t in found if not t.tag.startswith("VX")]
    return [t.id for t in (main or found)]


def _adjectives(kiwi: Any) -> list[tuple[str, int]]:
    """Return forms of every adjective that the model knows, with its number."""
    found: list[tuple[str, int]] = []
    for morpheme in kiwi.most_similar_morphemes("사랑", top_n=_EVERY):
        stem = morpheme.form
        if not stem or not morpheme.tag.startswith(("XR", "VA")):
            continue
        forms = [stem.removesuffix("하")]
        if morpheme.tag.startswith("VA") and not stem.endswith("하") and "가" <= stem[-1] <= "힣":
            f = conjugate(f"{stem}다")
            forms = [stem, f.infinitive, f.past, f.modifier, f.future, f"{f.infinitive}요"]
        found += [(form, morpheme.id) for form in forms if form and len(form) <= _LONGEST]
    return found


def _vectors(kiwi: Any, morphemes: list[int]) -> dict[int, Any]:
    """Return a vector for each morpheme that the model has one of."""
    place = {number: i for i, number in enumerate(morphemes)}
    draw = np.random.default_rng(0)
    likeness = np.zeros((len(morphemes), _ANCHORS), np.float32)
    for column, anchor in enumerate(draw.choice(morphemes, _ANCHORS, replace=False).tolist()):
        for other in kiwi.most_similar_morphemes(anchor, top_n=_EVERY):
            if other.id in place:
                likeness[place[other.id], column] = other.score
        likeness[place[anchor], column] = 1.0
    there = np.flatnonzero(likeness.any(axis=1))
    left, size, _ = np.linalg.svd(likeness[there] - likeness[there].mean(axis=0), False)
    # The first direction only says how rare a morpheme is.
    kept = slice(1, 1 + _DIMENSIONS)
    table = left[:, kept] * np.sqrt(size[kept])
    return {morphemes[i]: row for i, row in zip(there.tolist(), table, strict=True)}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
