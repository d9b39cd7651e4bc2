"""What of the preset `wide` is saved: a Keras model, and tables beside it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Names in the artifact's tables.
EMBEDDING, EMBEDDING_SCALE, GRAMS = "embedding", "embedding_scale", "grams"
#: The convolution that negation and contrast are read from, and what belongs to it
#: (`iyu.worker.model.scope`); artifacts from before there was one have none of these.
SCOPE_KERNEL, SCOPE_THRESHOLD, SCOPE_REACH = "scope_kernel", "scope_threshold", "scope_reach"
SCOPE_DISCOUNT, SCOPE_GRAM_TURN = "scope_discount", "scope_gram_turn"
SCOPE_TABLES = (
    SCOPE_KERNEL,
    SCOPE_THRESHOLD,
    SCOPE_REACH,
    SCOPE_DISCOUNT,
    SCOPE_GRAM_TURN,
)


def build(features: int, filters: int, kernels: tuple[int, ...], hidden: int, length: int) -> Any:
    """Return the untrained Keras model of everything after the tables.

    inputs: embedded (batch, length, features), word (batch, length, 1), 1 or 0 for padding,
    gates (batch, length, 2), how much of a token counts as it stands and as negated, and
    wide (batch, length), what the n-grams give each token. output: probability (batch, 1).
    """
    import keras
    from keras import layers, ops

    embedded = keras.Input((length, features), name="embedded")
    word = keras.Input((length, 1), name="word")
    gates = keras.Input((length, 2), name="gates")
    wide = keras.Input((length,), name="wide")
    maps = [
        layers.Conv1D(filters, k, padding="same", use_bias=False, name=f"conv{k}")(embedded)
        for k in kernels
    ]
    joined = ops.relu(ops.concatenate(maps, axis=-1)) * word
    pooled = ops.concatenate(
        [part for i in range(2) for part in _pooled(joined * gates[..., i : i + 1], word)], axis=-1
    )
    deep = layers.Dense(1, name="logit")(
        layers.Dense(hidden, activation="relu", name="hidden")(pooled)
    )
    z = deep + layers.Dense(1, use_bias=False, name="scale", kernel_initializer="zeros")(
        ops.sum(wide, axis=1, keepdims=True)
    )
    return keras.Model([embedded, word, gates, wide], ops.sigmoid(z), name="wide")


def _pooled(maps: Any, word: Any) -> tuple[Any, Any]:
    """Return maximum and mean over the tokens: (batch, filters) each."""
    from keras import ops

    return ops.max(maps, axis=1), ops.sum(maps, axis=1) / ops.maximum(ops.sum(word, axis=1), 1.0)


def quantise(embeddings: NDArray[np.float32], grams: NDArray[np.float32]) -> dict[str, Any]:
    """Return tables: embeddings in eight bits with a scale a row, n-grams in sixteen.

    embeddings: (rows, features); grams: (buckets,).
    """
    scale = (np.abs(embeddings).max(axis=1, keepdims=True) / 127 + 1e-12).astype(np.float16)
    whole = np.rint(embeddings / np.maximum(scale.astype(np.float32), 1e-7))
    return {
        EMBEDDING: np.clip(whole, -127, 127).astype(np.int8),
        EMBEDDING_SCALE: scale,
        # Weights too small to matter are dropped: zeros take no room in a compressed file.
        GRAMS: np.where(np.abs(grams) < 1e-3, 0, grams).astype(np.float16),
    }
