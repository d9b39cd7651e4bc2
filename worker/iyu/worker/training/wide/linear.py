"""The first teacher: n-grams alone, each with one weight."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.network import Tensor
from iyu.worker.training.wide.corpus import Corpus, Index
from iyu.worker.training.wide.optimiser import ahead
from iyu.worker.training.wide.stages import Say

Floats = NDArray[np.float32]

#: Sum of squared gradients that Adagrad begins with.
_ACCUMULATED: Final = 0.01
_EVALUATED: Final = 2_048  # reviews a batch


@dataclass(frozen=True, slots=True)
class Linear:
    """How the linear teacher is trained."""

    epochs: int = 3
    batch: int = 256
    rate: float = 0.5


class GramWeights:
    """One weight a bucket; a review's are summed and divided by √(1 + their number).

    Trained by Adagrad: a rare n-gram takes as large a step as it is rare.
    Source: Duchi et al. 2011, Adaptive Subgradient Methods, §1.2.
    """

    def __init__(self, buckets: int, weights: Floats | None = None) -> None:
        """Begin with weights: (buckets,), or with none at all."""
        import tensorflow as tf

        self.weights = tf.Variable(tf.zeros(buckets) if weights is None else weights)
        self._accumulated = tf.Variable(tf.fill([buckets], _ACCUMULATED))

    def logit(
        self, ids: Tensor, row: Tensor, reviews: Tensor, gate: Tensor | float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """Return the sums: (reviews,), and what each was divided by, inverted: (reviews,).

        gate: (grams,) what each weight is multiplied with.
        """
        import tensorflow as tf

        count = tf.math.unsorted_segment_sum(tf.ones_like(ids, tf.float32), row, reviews)
        scale = tf.math.rsqrt(count + 1.0)
        total = tf.math.unsorted_segment_sum(tf.gather(self.weights, ids) * gate, row, reviews)
        return total * scale, scale

    def descend(
        self, ids: Tensor, row: Tensor, slope: Tensor, rate: Tensor, gate: Tensor | float = 1.0
    ) -> None:
        """Take a step; slope: (reviews,) ∂loss/∂sum, the scale in it."""
        import tensorflow as tf

        distinct, place = tf.unique(ids)
        slopes = tf.gather(slope, row) * gate
        gradient = tf.math.unsorted_segment_sum(slopes, place, tf.size(distinct))
        accumulated = tf.gather(self._accumulated, distinct) + gradient**2
        self._accumulated.scatter_nd_update(distinct[:, tf.newaxis], accumulated)
        move = -rate * gradient * tf.math.rsqrt(accumulated)
        self.weights.scatter_nd_add(distinct[:, tf.newaxis], move)


def train(
    corpus: Corpus, labels: Floats, reviews: Index, buckets: int, how: Linear, seed: int, say: Say
) -> Floats:
    """Return the logits of every review of the corpus: (len(corpus),); labels: (len(corpus),)."""
    import tensorflow as tf

    model = GramWeights(buckets)
    ids = tf.TensorSpec((None,), tf.int32)
    floats, scalar = tf.TensorSpec((None,), tf.float32), tf.TensorSpec((), tf.float32)

    def descend(grams: Tensor, row: Tensor, wanted: Tensor, rate: Tensor) -> None:
        z, scale = model.logit(grams, row, tf.size(wanted))
        model.descend(grams, row, (tf.sigmoid(z) - wanted) * scale, rate)

    step = tf.function(descend, input_signature=[ids, ids, floats, scalar])
    draw = np.random.default_rng(seed)
    steps = how.epochs * -(-len(reviews) // how.batch)
    done = 0
    for epoch in range(how.epochs):
        shuffled = draw.permutation(reviews)
        parts = np.split(shuffled, range(how.batch, len(shuffled), how.batch))
        for part, grams in ahead((part, corpus.grams(part)) for part in parts):
            step(*grams, labels[part], np.float32(how.rate * (1 - 0.9 * done / steps)))
            done += 1
        say(f"epoch {epoch + 1}/{how.epochs}")
    return _logits(model, corpus)


def _logits(model: GramWeights, corpus: Corpus) -> Floats:
    import tensorflow as tf

    everything = np.arange(len(corpus))
    ids, count = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((), tf.int32)
    logit = tf.function(lambda *given: model.logit(*given)[0], input_signature=[ids, ids, count])
    parts = np.split(everything, range(_EVALUATED, len(everything), _EVALUATED))
    return np.concatenate([logit(*corpus.grams(part), len(part)).numpy() for part in parts])
