"""From morphemes to the inputs of a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from iyu.worker.text.morphemes import Morphemes
from iyu.worker.text.vocabulary import UNK, Vocabulary, pad_front


@dataclass(frozen=True, slots=True)
class Encoded:
    """A chunk as a network reads it; tokens stand at the end of a row, padding in front."""

    inputs: dict[str, NDArray[Any]]  # `ids` (batch, tokens) int32, and whatever else is read
    unknown: list[int]  # a review: its surfaces that the vocabulary does not know


class Encoder(Protocol):
    """Morphemes to network inputs."""

    length: int  # tokens a network sees

    def encode(self, texts: Sequence[Morphemes]) -> Encoded:
        """Return the inputs of a chunk."""


class VocabularyEncoder:
    """One id a morpheme; padding and truncation in front."""

    def __init__(self, vocabulary: Vocabulary, length: int) -> None:
        self.length = length
        self._vocabulary = vocabulary

    def encode(self, texts: Sequence[Morphemes]) -> Encoded:
        """Return ids: (batch, tokens) int32."""
        rows = [self._vocabulary.ids(text.surfaces) for text in texts]
        ids: NDArray[np.int32] = pad_front(rows, self.length)
        return Encoded({"ids": ids}, [row.count(UNK) for row in rows])
