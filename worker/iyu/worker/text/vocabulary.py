"""Surfaces to ids: the most frequent morphemes of the training reviews."""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

PAD: Final = 0
UNK: Final = 1
_RESERVED: Final = ("<PAD>", "<UNK>")


class Vocabulary:
    """Every known surface with its id; 0 is padding, 1 is any unknown surface."""

    def __init__(self, surfaces: Sequence[str]) -> None:
        self.surfaces = tuple(surfaces)  # id 2, 3, …
        self._ids = {surface: i for i, surface in enumerate(self.surfaces, start=len(_RESERVED))}

    def __len__(self) -> int:
        """Return the number of ids, padding and unknown included."""
        return len(self.surfaces) + len(_RESERVED)

    @classmethod
    def most_frequent(cls, texts: Iterable[Sequence[str]], size: int) -> "Vocabulary":
        """Keep the `size` most frequent surfaces; equally frequent ones in order of appearance."""
        counts = Counter(surface for surfaces in texts for surface in surfaces)
        return cls([surface for surface, _ in counts.most_common(size)])

    def ids(self, surfaces: Iterable[str]) -> list[int]:
        """Return an id for each surface."""
        known = self._ids.get
        return [known(surface, UNK) for surface in surfaces]

    def to_json(self) -> bytes:
        """Return the vocabulary as its file holds it."""
        return orjson.dumps(self.surfaces)

    @classmethod
    def from_json(cls, content: bytes) -> "Vocabulary":
        """Read what `to_json` wrote."""
        return cls(orjson.loads(content))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the file's content, 16 hexadecimal digits of it."""
        return sha256(self.to_json()).hexdigest()[:16]


def pad_front(rows: Sequence[Sequence[int]], length: int) -> NDArray[np.int32]:
    """Return ids: (batch, length) int32; short rows padded in front, long ones cut in front."""
    padded = np.zeros((len(rows), length), np.int32)
    for i, row in enumerate(rows):
        if kept := row[-length:]:
            padded[i, length - len(kept) :] = kept
    return padded
