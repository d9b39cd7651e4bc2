"""How faithful heatmaps are to the score, measured in the pass that makes them."""

from collections.abc import Sequence
from math import ceil
from typing import Final, cast

from iyu.worker.explain.trace import Trace, forward
from iyu.worker.model.network import Network, RectifiedNetwork, Tensor

#: The share of a review's tokens that count as its rationale.
RATIONALE: Final = 0.2


def worth(network: Network, passed: Trace, heats: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Return comprehensiveness and sufficiency, (batch,) each, of each heatmap.

    heats: one (batch, tokens) a method; all their shorter reviews go forward together. p is the
    probability of the predicted class.
    comprehensiveness = p(x) − p(x without its rationale): high if the words mattered.
    sufficiency = p(x) − p(the rationale alone): low if the words are enough.
    The rationale is the top fifth of the tokens, at least one.
    Source: DeYoung et al. 2020, ERASER, §4.2.
    """
    import tensorflow as tf

    word, logit = passed.inputs["ids"] != 0, passed.logit
    toward = tf.where(logit > 0, 1.0, -1.0)
    tops = [top_fifth(word, heat * toward[:, tf.newaxis]) for heat in heats]
    without, alone = _rescored(network, passed, [word & ~top for top in tops], tops)
    p = tf.sigmoid(toward * logit)
    return [
        (p - tf.sigmoid(toward * rest), p - tf.sigmoid(toward * top))
        for rest, top in zip(without, alone, strict=True)
    ]


def _rescored(
    network: Network, passed: Trace, rests: Sequence[Tensor], tops: Sequence[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """Return z of each shorter review: (batch,) each."""
    import tensorflow as tf

    if not network.is_rectified:
        kept = [*rests, *tops]
        repeated = {n: tf.concat([v] * len(kept), axis=0) for n, v in passed.inputs.items()}
        z = forward(network, network.keep(repeated, tf.concat(kept, axis=0)))
        parts = tf.split(z, len(kept))
        return parts[: len(rests)], parts[len(rests) :]
    shortened = cast("RectifiedNetwork", network).shortened
    tokens = int(passed.embedded.shape[1])
    fifth = max(1, ceil(RATIONALE * tokens))  # no rationale has more tokens,
    rest = max(1, tokens - fifth)  # and none leaves more
    return (
        [shortened(passed.inputs, passed.embedded, kept, rest) for kept in rests],
        [shortened(passed.inputs, passed.embedded, kept, fifth) for kept in tops],
    )


def top_fifth(word: Tensor, evidence: Tensor) -> Tensor:
    """Return which tokens are the rationale: (batch, tokens) bool.

    word: (batch, tokens) bool, false for padding.
    """
    import tensorflow as tf

    words = tf.reduce_sum(tf.cast(word, tf.float32), axis=1, keepdims=True)
    size = tf.cast(tf.maximum(tf.math.ceil(RATIONALE * words), 1.0), tf.int32)
    return word & (places(word, evidence) < size)


def places(word: Tensor, evidence: Tensor) -> Tensor:
    """Return each token's place by evidence, 0 for the most: (batch, tokens) int32.

    Of two that are equal, the earlier comes first; padding comes last.
    """
    import tensorflow as tf

    tokens = int(word.shape[1])
    evidence = tf.where(word, evidence, float("-inf"))
    # By counting who stands before: rows are short, sorting them costs more.
    mine, other = evidence[:, :, tf.newaxis], evidence[:, tf.newaxis, :]
    earlier = ~tf.linalg.band_part(tf.ones((tokens, tokens), tf.bool), 0, -1)
    ahead = (other > mine) | ((other == mine) & earlier)
    return tf.cast(tf.reduce_sum(tf.cast(ahead, tf.float32), axis=2), tf.int32)
