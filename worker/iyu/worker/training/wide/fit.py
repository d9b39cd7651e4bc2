"""Training a network on tokens, with or without the n-grams beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.network import Tensor
from iyu.worker.training.wide.corpus import Corpus, Index
from iyu.worker.training.wide.deep import Floats
from iyu.worker.training.wide.linear import GramWeights
from iyu.worker.training.wide.optimiser import Adam, Averaged, ahead, cosine
from iyu.worker.training.wide.stages import Say

_EVALUATED = 1_024  # reviews a batch
_AVERAGED = 5  # steps between two looks at the weights


@dataclass(frozen=True, slots=True)
class Fit:
    """How long and how fast."""

    epochs: int
    batch: int = 512
    rate: float = 2e-3
    gram_rate: float = 0.3  # of Adagrad, for the n-grams


class Network(Protocol):
    """What reads tokens: convolutions, or a recurrent layer."""

    @property
    def variables(self) -> list[Any]:
        """Everything that is trained."""

    def logit(self, rows: Tensor, *, training: bool) -> Tensor:
        """Return z: (batch,), from rows: (batch, tokens, slots)."""


class Trainee:
    """A network, and n-grams beside it where `buckets` says how many."""

    def __init__(self, network: Network, buckets: int, seed: int) -> None:
        import keras
        import tensorflow as tf

        keras.utils.set_random_seed(seed)
        self.deep = network
        self.grams = GramWeights(buckets) if buckets else None
        self._adam = Adam(self.deep.variables)
        rows, ids = tf.TensorSpec((None, None, 4), tf.int32), tf.TensorSpec((None,), tf.int32)
        wanted, scalar = tf.TensorSpec((None,), tf.float32), tf.TensorSpec((), tf.float32)
        self._step = tf.function(
            self._descend, input_signature=[rows, ids, ids, wanted, scalar, scalar, scalar]
        )
        self._forward = tf.function(self._logits, input_signature=[rows, ids, ids])

    def fit(
        self, corpus: Corpus, targets: Floats, reviews: Index, how: Fit, seed: int, say: Say
    ) -> list[float]:
        """Train toward targets: (len(corpus),) probabilities; return each epoch's mean loss."""
        draw = np.random.default_rng(seed)
        averaged = Averaged(self.deep.variables)
        steps, done, losses = how.epochs * -(-len(reviews) // how.batch), 0, []
        for epoch in range(how.epochs):
            total = 0.0
            for part, given in ahead(self._given(corpus, corpus.batches(reviews, how.batch, draw))):
                done += 1
                rate = cosine(done, steps)
                gram_rate = how.gram_rate * max(0.1, 0.5 + 0.5 * np.cos(np.pi * done / steps))
                scalars = (how.rate * rate, gram_rate, done)
                loss = self._step(*given, targets[part], *map(np.float32, scalars))
                if done % _AVERAGED == 0:
                    averaged.update()
                    total += float(loss)
                if done % 200 == 0:
                    say(f"step {done}/{steps}, loss {float(loss):.3f}")
            losses.append(total * _AVERAGED / max(1, -(-len(reviews) // how.batch)))
            say(f"epoch {epoch + 1}/{how.epochs}, loss {losses[-1]:.3f}")
        averaged.take()
        return losses

    def logits(self, corpus: Corpus, reviews: Index) -> NDArray[np.float32]:
        """Return z of the network and of the n-grams: (len(reviews), 2)."""
        found = np.zeros((len(corpus), 2), np.float32)
        for part, given in self._given(corpus, corpus.batches(reviews, _EVALUATED)):
            found[part] = np.stack([z.numpy() for z in self._forward(*given)], axis=1)
        return found[reviews]

    def _given(
        self, corpus: Corpus, batches: Iterator[Index]
    ) -> Iterator[tuple[Index, tuple[Any, ...]]]:
        nothing = np.empty(0, np.int32)
        for part in batches:
            grams = corpus.grams(part) if self.grams else (nothing, nothing)
            yield part, (corpus.rows(part), *grams)

    def _descend(
        self,
        rows: Tensor,
        ids: Tensor,
        row: Tensor,
        wanted: Tensor,
        rate: Tensor,
        gram_rate: Tensor,
        step: Tensor,
    ) -> Tensor:
        import tensorflow as tf

        wide, scale = 0.0, None
        if self.grams:
            wide, scale = self.grams.logit(ids, row, tf.shape(rows)[0])
        with tf.GradientTape() as tape:
            z = self.deep.logit(rows, training=True) + wide
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, z))
        self._adam.apply(tape.gradient(loss, self.deep.variables), rate, step)
        if self.grams:
            self.grams.descend(ids, row, (tf.sigmoid(z) - wanted) * scale, gram_rate)
        return loss

    def _logits(self, rows: Tensor, ids: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        import tensorflow as tf

        deep = self.deep.logit(rows, training=False)
        if self.grams is None:
            return deep, tf.zeros_like(deep)
        return deep, self.grams.logit(ids, row, tf.shape(rows)[0])[0]

    def gram_arrays(self) -> dict[str, Floats]:
        """Return the weights of the n-grams by name, if there are any."""
        return {"grams": self.grams.weights.numpy()} if self.grams else {}
