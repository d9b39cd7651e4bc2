"""The teachers that read: recurrent layers that a language model has prepared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.network import Tensor
from iyu.worker.training.wide.layers import Floats, drop_dimensions, drop_words, embed, glorot

_NOWHERE = -1e9  # what the maximum sees of a token that is not there
_WAYS = ("onward", "back")
_PARTS = ("kernel", "recurrent", "bias")  # of a layer, in the order it takes them


@dataclass(frozen=True, slots=True)
class Reading:
    """How a reader ends, and what is left out at random while it learns."""

    hidden: int = 128
    drop_word: float = 0.05
    drop_embedding: float = 0.2  # dimensions, for a whole review
    drop_hidden: float = 0.4  # before and after the hidden layer


class Gru:
    """A recurrent layer that reads from the first token on.

    Source: Cho et al. 2014, Learning Phrase Representations using RNN Encoder–Decoder, §2.3.
    """

    def __init__(self, kernel: Floats, recurrent: Floats, bias: Floats) -> None:
        """Take kernel: (features, 3 units), recurrent: (units, 3 units), bias: (2, 3 units)."""
        import tensorflow as tf

        self.kernel, self.recurrent, self.bias = map(tf.Variable, (kernel, recurrent, bias))

    @classmethod
    def fresh(cls, features: int, units: int, draw: np.random.Generator) -> "Gru":
        """Return one that has learned nothing."""
        kernel = np.concatenate([glorot(draw, (features, units)) for _ in range(3)], 1)
        turns = [np.linalg.qr(draw.normal(size=(units, units)))[0] for _ in range(3)]
        recurrent = np.concatenate(turns, 1).astype(np.float32)
        return cls(kernel, recurrent, np.zeros((2, 3 * units), np.float32))

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the states: (batch, tokens, units), of inputs: (batch, tokens, features)."""
        import tensorflow as tf

        given = tf.transpose(inputs @ self.kernel + self.bias[0], [1, 0, 2])

        def step(state: Tensor, now: Tensor) -> Tensor:
            update, reset, new = tf.split(now, 3, -1)
            before = tf.split(state @ self.recurrent + self.bias[1], 3, -1)
            kept = tf.sigmoid(update + before[0])
            proposed = tf.tanh(new + tf.sigmoid(reset + before[1]) * before[2])
            return kept * state + (1.0 - kept) * proposed

        begin = tf.zeros([tf.shape(inputs)[0], self.recurrent.shape[0]])
        return tf.transpose(tf.scan(step, given, begin), [1, 0, 2])


class BothWays:
    """A recurrent layer from each end."""

    def __init__(self, onward: Gru, back: Gru) -> None:
        self._layers = dict(zip(_WAYS, (onward, back), strict=True))

    @classmethod
    def fresh(cls, features: int, units: int, draw: np.random.Generator) -> "BothWays":
        """Return two layers that have learned nothing."""
        return cls(*(Gru.fresh(features, units, draw) for _ in range(2)))

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]]) -> "BothWays":
        """Return what `arrays` gave."""
        return cls(*(Gru(*(arrays[f"{way}_{p}"] for p in _PARTS)) for way in _WAYS))

    @property
    def variables(self) -> list[Any]:
        """Everything that is trained."""
        return [getattr(gru, part) for gru in self._layers.values() for part in _PARTS]

    def arrays(self) -> dict[str, Floats]:
        """Return the weights by name."""
        return {
            f"{way}_{part}": getattr(gru, part).numpy()
            for way, gru in self._layers.items()
            for part in _PARTS
        }

    def __call__(self, inputs: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return the states onward and back: (batch, tokens, units) each; counts: (batch,) tokens.

        Behind its last token a review's states mean nothing.
        """
        import tensorflow as tf

        turned = tf.reverse_sequence(inputs, counts, seq_axis=1)
        back = tf.reverse_sequence(self._layers["back"](turned), counts, seq_axis=1)
        return self._layers["onward"](inputs), back


class Reader:
    """Embeddings → a GRU each way → maximum, mean and last states → hidden → z.

    Source: Howard and Ruder 2018, Universal Language Model Fine-tuning, §3.3 (concat pooling).
    """

    def __init__(self, language: Mapping[str, NDArray[Any]], how: Reading, seed: int) -> None:
        """Begin with what the language model knows."""
        import tensorflow as tf

        draw = np.random.default_rng(seed)
        self._how = how
        self._embedding = tf.Variable(language["embedding"])
        self._both = BothWays.read(language)
        pooled = 6 * language["onward_recurrent"].shape[0]
        self._hidden = tf.Variable(glorot(draw, (pooled, how.hidden)))
        self._hidden_bias = tf.Variable(tf.zeros(how.hidden))
        self._logit = tf.Variable(glorot(draw, (how.hidden, 1)))
        self._logit_bias = tf.Variable(tf.zeros(1))

    @property
    def variables(self) -> list[Any]:
        """Everything that is trained."""
        last = [self._hidden, self._hidden_bias, self._logit, self._logit_bias]
        return [self._embedding, *self._both.variables, *last]

    @property
    def rates(self) -> list[float]:
        """How fast each of them learns: all alike."""
        return [1.0] * len(self.variables)

    def read(
        self, rows: Tensor, *, training: bool, heard: Tensor | None = None
    ) -> tuple[Tensor, None]:
        """Return z: (batch,), from rows: (batch, tokens, slots); it gates no n-grams."""
        import tensorflow as tf

        how = self._how
        rows = drop_words(rows, how.drop_word) if training else rows
        embedded, there = embed(self._embedding, rows)
        embedded = drop_dimensions(embedded, how.drop_embedding) if training else embedded
        pooled = self._pooled(embedded, there)
        drop = how.drop_hidden if training else 0.0
        hidden = tf.nn.relu(tf.nn.dropout(pooled, drop) @ self._hidden + self._hidden_bias)
        return (tf.nn.dropout(hidden, drop) @ self._logit + self._logit_bias)[:, 0], None

    def _pooled(self, embedded: Tensor, there: Tensor) -> Tensor:
        import tensorflow as tf

        counts = tf.cast(tf.reduce_sum(there, [1, 2]), tf.int32)
        onward, back = self._both(embedded, counts)
        states = tf.concat([onward, back], -1)
        greatest = tf.reduce_max(tf.where(there > 0, states, _NOWHERE), 1)
        mean = tf.reduce_sum(states * there, 1) / tf.maximum(tf.reduce_sum(there, 1), 1.0)
        last = tf.gather(onward, tf.maximum(counts - 1, 0), batch_dims=1)
        known = tf.cast(counts > 0, tf.float32)[:, tf.newaxis]  # a review may have no tokens
        return tf.concat([greatest, mean, last, back[:, 0]], -1) * known
