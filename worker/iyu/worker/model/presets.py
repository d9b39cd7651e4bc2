"""The architectures by name: how each reads morphemes, and how it is split for explaining."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from iyu.schemas.contract.errors import ArtifactError
from iyu.worker.model.encoding import Encoder, VocabularyEncoder
from iyu.worker.model.network import Network
from iyu.worker.model.source import SourceNetwork
from iyu.worker.model.wide import WideNetwork
from iyu.worker.model.wide_artifact import (
    EMBEDDING,
    EMBEDDING_SCALE,
    GRAMS,
    SCOPE_KERNEL,
    SCOPE_TABLES,
    SCOPE_THRESHOLD,
)
from iyu.worker.model.wide_encoder import WideEncoder
from iyu.worker.text import subwords
from iyu.worker.text.vocabulary import Vocabulary

#: Arrays of an artifact beside its Keras model, by name; most presets have none.
Tables: TypeAlias = Mapping[str, NDArray[Any]]
Manifest: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Preset:
    """How to read and run an artifact of this architecture."""

    network: Callable[[Any, Tables], Network]  # from its Keras model and tables
    encoder: Callable[[Vocabulary, Manifest, Tables], Encoder]
    embedding_rows: Callable[[Any, Tables], int]  # in its Keras model and tables
    expected_rows: Callable[[Vocabulary], int]  # what a vocabulary needs
    unlearned: Callable[[Tables, int], Tables]  # tables before training, by seed


def _source_encoder(vocabulary: Vocabulary, manifest: Manifest, _: Tables) -> Encoder:
    return VocabularyEncoder(vocabulary, int(manifest["sequence_length"]))


def _wide_encoder(vocabulary: Vocabulary, manifest: Manifest, tables: Tables) -> Encoder:
    return WideEncoder(vocabulary, int(manifest["sequence_length"]), tables[GRAMS])


def _wide_unlearned(tables: Tables, seed: int) -> Tables:
    """Return random embeddings; the n-grams are weightless through their scale, which is zero."""
    draw = np.random.default_rng(seed)
    drawn = draw.normal(0, 0.05, tables[EMBEDDING].shape).astype(np.float32)
    scope = {name: tables[name] for name in SCOPE_TABLES if name in tables}
    if scope:
        kernel = draw.normal(0, 0.05, scope[SCOPE_KERNEL].shape).astype(np.float32)
        scope |= {SCOPE_KERNEL: kernel, SCOPE_THRESHOLD: np.zeros_like(scope[SCOPE_THRESHOLD])}
    return {EMBEDDING: drawn, EMBEDDING_SCALE: np.ones((len(drawn), 1), np.float32), **scope}


PRESETS: dict[str, Preset] = {
    "source": Preset(
        network=lambda model, _: SourceNetwork(model),
        encoder=_source_encoder,
        embedding_rows=lambda model, _: int(model.get_layer("embedding").input_dim),
        expected_rows=len,
        unlearned=lambda tables, _: tables,
    ),
    "wide": Preset(
        network=WideNetwork,
        encoder=_wide_encoder,
        embedding_rows=lambda _, tables: len(tables[EMBEDDING]),
        expected_rows=subwords.rows,
        unlearned=_wide_unlearned,
    ),
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
