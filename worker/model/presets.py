"""The architectures by name: how each reads morphemes, and how it is split for explaining."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from schemas.errors import ArtifactError
from worker.model.network import Network
from worker.model.source import SourceNetwork
from worker.text.morphemes import Morphemes
from worker.text.vocabulary import UNK, Vocabulary, pad_front


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


@dataclass(frozen=True, slots=True)
class Preset:
    """How an artifact of this architecture is put to work."""

    network: Callable[[Any], Network]  # from its Keras model
    encoder: Callable[[Vocabulary, Mapping[str, Any]], Encoder]  # from vocabulary and manifest


def _source_encoder(vocabulary: Vocabulary, manifest: Mapping[str, Any]) -> Encoder:
    return VocabularyEncoder(vocabulary, int(manifest["sequence_length"]))


PRESETS: dict[str, Preset] = {
    "source": Preset(SourceNetwork, _source_encoder),
}


def preset(name: str) -> Preset:
    """Return a preset.

    Raises ArtifactError for an unknown name.
    """
    try:
        return PRESETS[name]
    except KeyError:
        raise ArtifactError(
            f"this iyu knows no preset {name!r}; choose one of: {', '.join(PRESETS)}"
        ) from None
