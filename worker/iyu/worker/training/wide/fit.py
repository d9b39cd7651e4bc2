"""Training a network on tokens, with or without the n-grams beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.network import Tensor
from iyu.worker.training.wide.corpus import Corpus, Index
from iyu.worker.training.wide.layers import Floats
from iyu.worker.training.wide.linear import GramWeights
from iyu.worker.training.wide.optimiser import Adam, Averaged, ahead, cosine
from iyu.worker.training.wide.stages import Say

_EVALUATED = 1_024  # reviews a batch
_AVERAGED = 5  # steps between two looks at the weights
#: Buckets, whose each is, first token and further tokens: (grams,) each.
PlacedGrams: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]
_NO_GRAMS = tuple(np.empty(0, kind) for kind in (np.int32, np.int32, np.uint8, np.uint8))


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

    @property
    def rates(self) -> list[float]:
        """How fast each of them learns, in parts of the rate."""

    def read(
        self, rows: Tensor, *, training: bool, heard: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return z: (batch,), and what n-grams in a token are multiplied with: (batch, tokens).

        rows: (batch, tokens, slots). heard: (batch,) 0 where the n-grams stay away. The second is
        None where n-grams count as they stand.
        """


class Trainee:
    """A network, and n-grams beside it where `buckets` says how many."""

    def __init__(
        self, network: Network, buckets: int, seed: int, grams: Floats | None = None
    ) -> None:
        """Begin with n-grams' weights: (buckets,), or with none at all."""
        import keras
        import tensorflow as tf

        keras.utils.set_random_seed(seed)
        self.deep = network
        self.grams = GramWeights(buckets, grams) if buckets else None
        self._adam = Adam(self.deep.variables, self.deep.rates)
        rows, ids = tf.TensorSpec((None, None, 4), tf.int32), tf.TensorSpec((None,), tf.int32)
        place = tf.TensorSpec((None,), tf.uint8)
        wanted, scalar = tf.TensorSpec((None,), tf.float32), tf.TensorSpec((), tf.float32)
        given = [rows, (ids, ids, place, place)]
        self._step = tf.function(
            self._descend, input_signature=[*given, wanted, wanted, scalar, scalar, scalar]
        )
        self._forward = tf.function(self._logits, input_signature=given)

    def fit(
        self,
        corpus: Corpus,
        targets: Floats,
        reviews: Index,
        how: Fit,
        seed: int,
        say: Say,
        quiet: Floats | None = None,
    ) -> list[float]:
        """Train toward targets: (len(corpus),) probabilities; return each epoch's mean loss.

        quiet: (len(corpus),) how often a review's n-grams stay away, so that the network has to
        know what it says.
        """
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
                heard = np.ones(len(part), np.float32)
                if quiet is not None:
                    heard = (draw.random(len(part)) >= quiet[part]).astype(np.float32)
                loss = self._step(*given, targets[part], heard, *map(np.float32, scalars))
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
        for part in batches:
            grams = corpus.placed_grams(part) if self.grams else _NO_GRAMS
            yield part, (corpus.rows(part), grams)

    def _descend(
        self,
        rows: Tensor,
        grams: PlacedGrams,
        wanted: Tensor,
        heard: Tensor,
        rate: Tensor,
        gram_rate: Tensor,
        step: Tensor,
    ) -> Tensor:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            deep, wide, gate, scale = self._read(rows, grams, training=True, heard=heard)
            z = deep + heard * wide
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, z))
        self._adam.apply(tape.gradient(loss, self.deep.variables), rate, step)
        if self.grams:
            ids, row, *_ = grams
            self.grams.descend(ids, row, heard * (tf.sigmoid(z) - wanted) * scale, gram_rate, gate)
        return loss

    def _logits(self, rows: Tensor, grams: PlacedGrams) -> tuple[Tensor, Tensor]:
        return self._read(rows, grams, training=False)[:2]

    def _read(
        self, rows: Tensor, grams: PlacedGrams, *, training: bool, heard: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | float, Tensor | None]:
        """Return z of the network and of the n-grams, each n-gram's gate, and their scale."""
        import tensorflow as tf

        deep, of_tokens = self.deep.read(rows, training=training, heard=heard)
        if self.grams is None:
            return deep, tf.zeros_like(deep), 1.0, None
        ids, row, first, span = grams
        gate = 1.0 if of_tokens is None else _gram_gates(of_tokens, row, first, span)
        wide, scale = self.grams.logit(ids, row, tf.shape(rows)[0], gate)
        return deep, wide, gate, scale

    def gram_arrays(self) -> dict[str, Floats]:
        """Return the weights of the n-grams by name, if there are any."""
        return {"grams": self.grams.weights.numpy()} if self.grams else {}


def _gram_gates(of_tokens: Tensor, row: Tensor, first: Tensor, span: Tensor) -> Tensor:
    """Return the mean gate of the tokens that each n-gram lies in: (grams,).

    of_tokens: (batch, tokens).
    """
    import tensorflow as tf

    sums = tf.pad(tf.cumsum(of_tokens, axis=1), [[0, 0], [1, 0]])
    first, span = tf.cast(first, tf.int32), tf.cast(span, tf.int32)
    until = tf.gather_nd(sums, tf.stack([row, first + span + 1], axis=1))
    before = tf.gather_nd(sums, tf.stack([row, first], axis=1))
    return (until - before) / tf.cast(span + 1, tf.float32)
