"""The score while a review's tokens go or come one by one."""

from collections.abc import Sequence
from itertools import pairwise

from iyu.worker.explain.trace import forward
from iyu.worker.model.network import Inputs, Network, Tensor


def forward_kept(network: Network, inputs: Inputs, kept: Sequence[Tensor]) -> Tensor:
    """Return z with only some tokens kept, a column for each choice: (batch, choices).

    kept: each (batch, tokens) or (1, tokens) bool. All choices go forward in one batch.
    """
    import tensorflow as tf

    shape = tf.shape(inputs["ids"])
    stacked = tf.concat([tf.broadcast_to(choice, shape) for choice in kept], axis=0)
    repeated = {name: tf.concat([v] * len(kept), axis=0) for name, v in inputs.items()}
    z = forward(network, network.keep(repeated, stacked))
    return tf.transpose(tf.reshape(z, [len(kept), shape[0]]))


def area(curve: Tensor, words: Tensor) -> Tensor:
    """Return the area under a curve over the share of tokens moved, 0 … 1: (batch,).

    curve: (batch, tokens + 1), of which a review uses words + 1 points; words: (batch,) int32.
    By trapezoids. Source: Petsiuk et al. 2018, RISE, §4.2.
    """
    import tensorflow as tf

    parts = [
        tf.where(right <= words, (curve[:, left] + curve[:, right]) / 2.0, 0.0)
        for left, right in pairwise(range(curve.shape[1]))
    ]
    return tf.add_n(parts) / tf.cast(tf.maximum(words, 1), tf.float32)
