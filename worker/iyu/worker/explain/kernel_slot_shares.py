"""From positions of a convolution to the tokens that its kernel saw there.

A slot k of a kernel sees, from position s, the token s + offset(k); so token t is seen by slot k
from position t − offset(k), if that position exists.
"""

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.network import Convolution, Tensor


def share(convolution: Convolution, embedded: Tensor, weights: Tensor) -> Tensor:
    """Give Σ_f weights · (A − bias) to the tokens, each exactly what it put in.

    embedded: (batch, tokens, features); weights: (batch, tokens, filters). Returns
    heat: (batch, tokens). A convolution is linear but for its bias, which belongs to no token:
    token t put x[t] · W[k] into position t − offset(k).
    """
    import tensorflow as tf

    parts = [
        tf.einsum(
            "btf,btf->bt",
            _shift(weights, -convolution.offset(slot)),
            tf.matmul(embedded, convolution.kernel[slot]),
        )
        for slot in range(convolution.slots)
    ]
    return tf.add_n(parts)


def share_uniform(convolution: Convolution, embedded: Tensor, weights: Tensor) -> Tensor:
    """Do what `share` does where all positions have the same weight, many times cheaper.

    weights: (batch, filters). The filters are summed before the tokens are looked at.
    """
    import tensorflow as tf

    direction = tf.einsum("kcf,bf->bck", convolution.kernel, weights)
    seen = _seen(convolution, int(embedded.shape[1]))
    return tf.reduce_sum(tf.matmul(embedded, direction) * seen, axis=-1)


def share_bias(convolution: Convolution, weights: Tensor, tokens: int) -> Tensor:
    """Spread Σ_f weights · bias of every position evenly over the tokens that its kernel saw.

    weights: (batch, filters). Returns heat: (batch, tokens).
    """
    import tensorflow as tf

    bias = tf.linalg.matvec(weights, convolution.bias)[:, tf.newaxis]
    return bias * spread(convolution, tf.ones((1, tokens)))


def spread(convolution: Convolution, positions: Tensor) -> Tensor:
    """Spread what stands at a position evenly over the tokens that its kernel saw.

    positions: (batch, tokens). Returns heat: (batch, tokens) with the same sum.
    """
    import tensorflow as tf

    if convolution.slots == 1:
        return positions
    tokens = int(positions.shape[1])
    index = np.arange(tokens)
    offsets = [convolution.offset(slot) for slot in range(convolution.slots)]
    count = sum(((index + o >= 0) & (index + o < tokens)).astype(np.float32) for o in offsets)
    portion = (positions / count)[:, :, tf.newaxis]
    return tf.add_n([_shift(portion, -offset) for offset in offsets])[:, :, 0]


def spread_over_words(convolution: Convolution, positions: Tensor, word: Tensor) -> Tensor:
    """Do what `spread` does, padding left out.

    positions: (batch, tokens), zero at padding; word: (batch, tokens) float32, 1 or 0.
    """
    import tensorflow as tf

    word = word[:, :, tf.newaxis]
    offsets = [convolution.offset(slot) for slot in range(convolution.slots)]
    count = tf.add_n([_shift(word, offset) for offset in offsets])
    portion = positions[:, :, tf.newaxis] / tf.maximum(count, 1.0)
    return (tf.add_n([_shift(portion, -offset) for offset in offsets]) * word)[:, :, 0]


def _seen(convolution: Convolution, tokens: int) -> NDArray[np.float32]:
    """Return which slots see each token from a position that exists: (tokens, slots)."""
    position = np.arange(tokens)[:, np.newaxis] - np.array(
        [convolution.offset(slot) for slot in range(convolution.slots)]
    )
    seen: NDArray[np.float32] = ((position >= 0) & (position < tokens)).astype(np.float32)
    return seen


def _shift(values: Tensor, by: int) -> Tensor:
    """Return values[:, t + by], zero outside: (batch, tokens, …), shape kept."""
    import tensorflow as tf

    if by == 0:
        return values
    if by > 0:
        return tf.pad(values[:, by:], [[0, 0], [0, by], [0, 0]])
    return tf.pad(values[:, :by], [[0, 0], [-by, 0], [0, 0]])
