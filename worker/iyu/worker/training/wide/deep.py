"""The convolutions while they are trained: dropout, masks, and no heat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.network import Tensor
from iyu.worker.text.vocabulary import UNK

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the convolutions are, and what is left out at random."""

    features: int = 96  # of an embedding
    filters: int = 96  # of each kernel
    kernels: tuple[int, ...] = (1, 2, 3)
    hidden: int = 128
    drop_word: float = 0.03  # words read as unknown; what they are made of stays away too
    drop_embedding: float = 0.1  # dimensions, for a whole review
    drop_hidden: float = 0.15  # before and after the hidden layer


class Deep:
    """Embeddings → parallel convolutions → maximum and mean over tokens → hidden → z.

    Source: Kim 2014, Convolutional Neural Networks for Sentence Classification, §2.
    """

    def __init__(self, embeddings: Floats, shape: Shape, seed: int) -> None:
        import tensorflow as tf

        draw = np.random.default_rng(seed)
        self._shape = shape
        s, pooled = shape, 2 * shape.filters * len(shape.kernels)
        weights = {"embedding": embeddings}
        for kernel in s.kernels:
            weights[f"conv{kernel}"] = glorot(draw, (kernel, s.features, s.filters), kernel)
        weights["hidden"] = glorot(draw, (pooled, s.hidden))
        weights["hidden_bias"] = np.zeros(s.hidden, np.float32)
        weights["logit"] = glorot(draw, (s.hidden, 1))
        weights["logit_bias"] = np.zeros(1, np.float32)
        self._weights = {name: tf.Variable(value) for name, value in weights.items()}

    @property
    def variables(self) -> list[Any]:
        """Everything that is trained."""
        return list(self._weights.values())

    def arrays(self) -> Mapping[str, Floats]:
        """Return the weights by name."""
        return {name: variable.numpy() for name, variable in self._weights.items()}

    def logit(self, rows: Tensor, *, training: bool) -> Tensor:
        """Return z: (batch,), from rows: (batch, tokens, slots)."""
        import tensorflow as tf

        w, s = self._weights, self._shape
        rows = drop_words(rows, s.drop_word) if training else rows
        embedded, word = embed(w["embedding"], rows)
        embedded = drop_dimensions(embedded, s.drop_embedding) if training else embedded
        maps = tf.concat(
            [tf.nn.conv1d(embedded, w[f"conv{kernel}"], 1, "SAME") for kernel in s.kernels], -1
        )
        maps = tf.nn.relu(maps) * word
        mean = tf.reduce_sum(maps, 1) / tf.maximum(tf.reduce_sum(word, 1), 1.0)
        drop = s.drop_hidden if training else 0.0
        pooled = tf.nn.dropout(tf.concat([tf.reduce_max(maps, 1), mean], -1), drop)
        hidden = tf.nn.relu(tf.matmul(pooled, w["hidden"]) + w["hidden_bias"])
        return (tf.matmul(tf.nn.dropout(hidden, drop), w["logit"]) + w["logit_bias"])[:, 0]


def embed(embedding: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return embedded: (batch, tokens, features), and 1 where there is a token, else 0."""
    import tensorflow as tf

    there = tf.cast(rows[..., :1] > 0, tf.float32)
    return tf.reduce_sum(tf.gather(embedding, rows), 2) * there, there


def drop_dimensions(embedded: Tensor, rate: float) -> Tensor:
    """Return embedded with a share of its dimensions left out, the same for a whole review."""
    import tensorflow as tf

    return tf.nn.dropout(embedded, rate, noise_shape=[tf.shape(embedded)[0], 1, embedded.shape[-1]])


def drop_words(rows: Tensor, rate: float) -> Tensor:
    """Return rows with a share of the words read as unknown, and without their parts."""
    import tensorflow as tf

    chosen = (tf.random.uniform(tf.shape(rows)[:2]) < rate) & (rows[..., 0] > 0)
    unknown = tf.constant([UNK] + [0] * (rows.shape[-1] - 1))
    return tf.where(chosen[..., tf.newaxis], unknown, rows)


def glorot(draw: np.random.Generator, shape: tuple[int, ...], receptive: int = 1) -> Floats:
    """Return weights to begin with. Source: Glorot and Bengio 2010, §4.2.1."""
    limit = float(np.sqrt(6.0 / (receptive * (shape[-2] + shape[-1]))))
    return draw.uniform(-limit, limit, shape).astype(np.float32)
