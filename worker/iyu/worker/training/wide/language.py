"""A language model of both directions: what comes next, and what came before.

What it learns from texts without labels is where the readers begin (recurrent.py).
Source: Howard and Ruder 2018, Universal Language Model Fine-tuning, §3.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.network import Tensor
from iyu.worker.text.vocabulary import UNK
from iyu.worker.training.wide.corpus import Corpus, Index
from iyu.worker.training.wide.layers import Floats, embed, glorot
from iyu.worker.training.wide.optimiser import Adam, ahead, cosine
from iyu.worker.training.wide.recurrent import BothWays
from iyu.worker.training.wide.stages import Say

_TOLD = 200  # steps between two lines of the log


@dataclass(frozen=True, slots=True)
class Language:
    """How large the language model is, and how it is trained."""

    features: int = 128  # of an embedding
    units: int = 256  # of each direction
    epochs: int = 2
    batch: int = 512
    rate: float = 2e-3
    others: int = 512  # sampled words that each true one is compared with


class LanguageModel:
    """Embeddings → a GRU each way → the word after, and the word before."""

    def __init__(self, embeddings: Floats, words: int, how: Language, seed: int) -> None:
        """Begin from embeddings: (rows, how.features), the first `words` rows those of words."""
        import keras
        import tensorflow as tf

        keras.utils.set_random_seed(seed)
        draw = np.random.default_rng(seed)
        self._how, self._words = how, words
        self._embedding = tf.Variable(embeddings)
        self._both = BothWays.fresh(how.features, how.units, draw)
        self._narrow = [tf.Variable(glorot(draw, (how.units, how.features))) for _ in range(2)]
        self._answers = tf.Variable(draw.normal(0, 0.05, (words, how.features)).astype(np.float32))
        self._commonness = tf.Variable(tf.zeros(words))
        self._variables = [
            self._embedding, *self._both.variables, *self._narrow, self._answers, self._commonness
        ]  # fmt: skip
        self._adam = Adam(self._variables)
        rows, scalar = tf.TensorSpec((None, None, 4), tf.int32), tf.TensorSpec((), tf.float32)
        self._step = tf.function(self._descend, input_signature=[rows, scalar, scalar])

    def fit(self, corpus: Corpus, reviews: Index, seed: int, say: Say) -> None:
        """Read the reviews, each `epochs` times."""
        how, draw = self._how, np.random.default_rng(seed)
        steps, done = how.epochs * -(-len(reviews) // how.batch), 0
        for epoch in range(how.epochs):
            parts = corpus.batches(reviews, how.batch, draw)
            for rows in ahead(corpus.rows(part) for part in parts):
                done += 1
                rate = how.rate * cosine(done, steps)
                loss = self._step(rows, np.float32(rate), np.float32(done))
                if done % _TOLD == 0:
                    say(f"step {done}/{steps}, loss {float(loss):.3f}")
            say(f"epoch {epoch + 1}/{how.epochs}")

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return what a reader begins with, by name."""
        return {"embedding": self._embedding.numpy(), **self._both.arrays()}

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean over words of the loss against sampled others: ().

        Source: Jean et al. 2015, On Using Very Large Target Vocabulary, §3.
        """
        import tensorflow as tf

        embedded, there = embed(self._embedding, rows)
        onward, back = self._both(embedded, tf.cast(tf.reduce_sum(there, [1, 2]), tf.int32))
        words = rows[..., 0]
        pairs = ((onward[:, :-1], words[:, 1:]), (back[:, 1:], words[:, :-1]))
        losses = [
            self._told_apart(states, wanted, narrow)
            for (states, wanted), narrow in zip(pairs, self._narrow, strict=True)
        ]
        return tf.add_n(losses) / len(losses)

    def _told_apart(self, states: Tensor, wanted: Tensor, narrow: Tensor) -> Tensor:
        """Return the loss where the wanted word is known; the others are drawn by their rank."""
        import tensorflow as tf

        known = tf.where(wanted > UNK)
        losses = tf.nn.sampled_softmax_loss(
            weights=self._answers,
            biases=self._commonness,
            labels=tf.gather_nd(wanted, known)[:, tf.newaxis],
            inputs=tf.matmul(tf.gather_nd(states, known), narrow),
            num_sampled=min(self._how.others, self._words - 1),
            num_classes=self._words,
        )
        return tf.reduce_sum(losses) / tf.maximum(tf.cast(tf.size(losses), tf.float32), 1.0)

    def _descend(self, rows: Tensor, rate: Tensor, step: Tensor) -> Tensor:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = self.loss(rows)
        self._adam.apply(tape.gradient(loss, self._variables), rate, step)
        return loss
