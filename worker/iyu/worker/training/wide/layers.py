"""What networks on tokens share while they are trained: embedding, and leaving out."""

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.network import Tensor
from iyu.worker.text.vocabulary import UNK

Floats = NDArray[np.float32]


def embed(embedding: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return embedded: (batch, tokens, features), and 1 where there is a token, else 0."""
    import tensorflow as tf

    there = tf.cast(rows[..., :1] > 0, tf.float32)
    return tf.reduce_sum(tf.gather(embedding, rows), 2) * there, there


def drop_dimensions(embedded: Tensor, rate: float) -> Tensor:
    """Return embedded with a share of its dimensions left out, the same for a whole review."""
    import tensorflow as tf

    return tf.nn.dropout(embedded, rate, noise_shape=[tf.shape(embedded)[0], 1, embedded.shape[-1]])


def drop_words(rows: Tensor, rate: Tensor | float) -> Tensor:
    """Return rows with a share of the words read as unknown, and without their parts."""
    import tensorflow as tf

    chosen = (tf.random.uniform(tf.shape(rows)[:2]) < rate) & (rows[..., 0] > 0)
    unknown = tf.constant([UNK] + [0] * (rows.shape[-1] - 1))
    return tf.where(chosen[..., tf.newaxis], unknown, rows)


def glorot(draw: np.random.Generator, shape: tuple[int, ...], receptive: int = 1) -> Floats:
    """Return weights to begin with. Source: Glorot and Bengio 2010, §4.2.1."""
    limit = float(np.sqrt(6.0 / (receptive * (shape[-2] + shape[-1]))))
    return draw.uniform(-limit, limit, shape).astype(np.float32)
