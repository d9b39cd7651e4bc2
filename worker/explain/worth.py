"""What a heatmap is worth: whether the score follows the words it names."""

from typing import Final

from worker.model.network import Inputs, Network, Tensor

#: The share of a review's tokens that count as its rationale.
RATIONALE: Final = 0.2


def worth(network: Network, inputs: Inputs, logit: Tensor, heat: Tensor) -> tuple[Tensor, Tensor]:
    """Return comprehensiveness and sufficiency: (batch,) each, toward the predicted class.

    comprehensiveness = p(x) − p(x without its rationale): high if the words mattered.
    sufficiency = p(x) − p(the rationale alone): low if the words are enough.
    The rationale is the top fifth of the tokens, at least one.
    Source: DeYoung et al. 2020, ERASER, §4.2.
    """
    import tensorflow as tf

    rationale, word = rationale_of(inputs, logit, heat)
    without = network.keep(inputs, word & ~rationale)
    alone = network.keep(inputs, rationale)
    both = {name: tf.concat([without[name], alone[name]], axis=0) for name in inputs}
    toward = tf.where(logit > 0, 1.0, -1.0)
    p_without, p_alone = tf.split(tf.sigmoid(tf.tile(toward, [2]) * forward(network, both)), 2)
    p = tf.sigmoid(toward * logit)
    return p - p_without, p - p_alone


def rationale_of(inputs: Inputs, logit: Tensor, heat: Tensor) -> tuple[Tensor, Tensor]:
    """Return which tokens are the rationale, and which are words at all: (batch, tokens) bool."""
    import tensorflow as tf

    word = inputs["ids"] != 0
    toward = tf.where(logit > 0, 1.0, -1.0)[:, tf.newaxis]
    evidence = tf.where(word, heat * toward, float("-inf"))
    rank = tf.argsort(tf.argsort(evidence, axis=1, direction="DESCENDING", stable=True), axis=1)
    words = tf.reduce_sum(tf.cast(word, tf.float32), axis=1, keepdims=True)
    size = tf.maximum(tf.math.ceil(RATIONALE * words), 1.0)
    return (tf.cast(rank, tf.float32) < size) & word, word


def forward(network: Network, inputs: Inputs) -> Tensor:
    """Return z: (batch,), nothing else."""
    return network.logit(network.convolve(network.embed(inputs)), inputs)
