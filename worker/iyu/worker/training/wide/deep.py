"""The convolutions while they are trained: dropout, masks, and no heat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.network import Tensor
from iyu.worker.model.scope import Scope, read_gates
from iyu.worker.training.wide.layers import Floats, drop_dimensions, drop_words, embed, glorot

#: How the weights of the gates begin among a student's, and how the others do.
GATED: Final = "scope"
_PLAIN: Final = ("embedding", "hidden", "logit")
#: What turns a word's vector, which is given, into a part of its embedding.
_MEANING: Final = "meaning"
#: How often a word is read by its vector alone, in a review that is to be read so.
_BY_MEANING: Final = 0.7
#: How fast embeddings learn on beside their words' vectors, in parts of the rate.
_RATES: Final = {"embedding": 0.25, _MEANING: 0.5}


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the convolutions are, and what is left out at random."""

    features: int = 96  # of an embedding
    filters: int = 96  # of each kernel
    kernels: tuple[int, ...] = (1, 2, 3)
    hidden: int = 128
    drop_word: float = 0.03  # words read as unknown; what they are made of stays away too
    drop_embedding: float = 0.1  # dimensions, for a whole review
    drop_hidden: float = 0.15  # before and after the hidden layer


class Deep:
    """Embeddings → parallel convolutions → maximum and mean over tokens → hidden → z.

    With `gated` weights, negation and contrast gate what is pooled (`iyu.worker.model.scope`).
    Source: Kim 2014, Convolutional Neural Networks for Sentence Classification, §2.
    """

    def __init__(
        self,
        weights: Mapping[str, NDArray[Any]],
        shape: Shape,
        *,
        frozen: Sequence[str] = (),
        vectors: Floats | None = None,
    ) -> None:
        """Begin with weights, by the names that `arrays` gives; frozen: those to leave as they are.

        A frozen table of embeddings saves most of a step's time. vectors: (words, dimensions) of
        what each word of the vocabulary means, zeros where that is not known; times a matrix that
        is learned they are added to the words' embeddings, so that one that is seldom read gets
        what those that mean alike have learned.
        """
        import tensorflow as tf

        self._shape, self._frozen = shape, frozenset(frozen)
        self._vectors = None if vectors is None else tf.constant(vectors)
        if vectors is not None:
            weights = {**weights, _MEANING: np.zeros((vectors.shape[1], shape.features))}
        names = [name for name in weights if name.startswith(("conv", *_PLAIN, GATED, _MEANING))]
        self._weights = {name: tf.Variable(np.float32(weights[name])) for name in names}

    @classmethod
    def fresh(cls, embeddings: Floats, shape: Shape, seed: int) -> "Deep":
        """Return one that has learned nothing."""
        draw = np.random.default_rng(seed)
        s, pooled = shape, 2 * shape.filters * len(shape.kernels)
        weights = {"embedding": embeddings}
        for kernel in s.kernels:
            weights[f"conv{kernel}"] = glorot(draw, (kernel, s.features, s.filters), kernel)
        weights["hidden"] = glorot(draw, (pooled, s.hidden))
        weights["hidden_bias"] = np.zeros(s.hidden, np.float32)
        weights["logit"] = glorot(draw, (s.hidden, 1))
        weights["logit_bias"] = np.zeros(1, np.float32)
        return cls(weights, shape)

    @property
    def variables(self) -> list[Any]:
        """Everything that is trained."""
        return [self._weights[name] for name in self._trained]

    @property
    def rates(self) -> list[float]:
        """How fast each of them learns, in parts of the rate."""
        if self._vectors is None:
            return [1.0] * len(self._trained)
        return [_RATES.get(name, 1.0) for name in self._trained]

    @property
    def _trained(self) -> list[str]:
        return [name for name in self._weights if name not in self._frozen]

    def arrays(self) -> Mapping[str, Floats]:
        """Return the weights by name."""
        found = {name: variable.numpy() for name, variable in self._weights.items()}
        if self._vectors is not None:
            part = self._vectors.numpy() @ found.pop(_MEANING)
            found["embedding"][: len(part)] += part
        return found

    def scope(self) -> Scope | None:
        """Return what stands beside the convolution of the gates; None without gates."""
        return scope_of(self._weights) if gated("kernel") in self._weights else None

    def read(
        self, rows: Tensor, *, training: bool, heard: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return z: (batch,), and what n-grams in a token are multiplied with: (batch, tokens).

        rows: (batch, tokens, slots). heard: (batch,) 0 where a review has to be read, for the most
        part, by its words' vectors alone. The second is None without gates.
        """
        import tensorflow as tf

        w, s = self._weights, self._shape
        words = rows[..., 0]
        rows = drop_words(rows, self._dropped(words, heard)) if training else rows
        embedded, word = embed(w["embedding"], rows)
        if self._vectors is not None:  # a word that is left out keeps its meaning
            embedded += self._meant(words, self._vectors)
        scope, of_grams = self.scope(), None
        dropped = drop_dimensions(embedded, s.drop_embedding) if training else embedded
        maps = tf.concat(
            [tf.nn.conv1d(dropped, w[f"conv{kernel}"], 1, "SAME") for kernel in s.kernels], -1
        )
        maps = tf.nn.relu(maps) * word
        counted: tuple[Tensor, ...] = (word,)
        if scope:
            read = tf.nn.conv1d(embedded, w[gated("kernel")], 1, "SAME") * word
            gates = read_gates(read, scope)
            of_grams = gates.of_grams
            counted = (gates.passed[..., tf.newaxis] * word, gates.turned[..., tf.newaxis] * word)
        return self._logit(_pooled(maps, counted, word), training=training), of_grams

    def _dropped(self, words: Tensor, heard: Tensor | None) -> Tensor | float:
        """Return how often each word is read as unknown: (batch, tokens), or for all alike."""
        import tensorflow as tf

        if self._vectors is None or heard is None:
            return self._shape.drop_word
        known = tf.reduce_any(self._vectors != 0, axis=1)
        meant = tf.gather(known, tf.where(words < len(self._vectors), words, 0))
        away = tf.cast(meant, tf.float32) * (1.0 - heard)[:, tf.newaxis]
        return tf.maximum(self._shape.drop_word, _BY_MEANING * away)

    def _meant(self, words: Tensor, vectors: Tensor) -> Tensor:
        """Return what the words' vectors add to their embeddings: (batch, tokens, features)."""
        import tensorflow as tf

        known = tf.where(words < len(vectors), words, 0)
        return tf.tensordot(tf.gather(vectors, known), self._weights[_MEANING], 1)

    def _logit(self, pooled: Tensor, *, training: bool) -> Tensor:
        import tensorflow as tf

        w, drop = self._weights, self._shape.drop_hidden if training else 0.0
        hidden = tf.nn.relu(tf.matmul(tf.nn.dropout(pooled, drop), w["hidden"]) + w["hidden_bias"])
        return (tf.matmul(tf.nn.dropout(hidden, drop), w["logit"]) + w["logit_bias"])[:, 0]


def gated(name: str) -> str:
    """Return how a weight of the gates is called among a student's."""
    return f"{GATED}_{name}"


def scope_of(weights: Mapping[str, Any]) -> Scope:
    """Return what stands beside the convolution of the gates, from its free parameters."""
    import tensorflow as tf

    threshold, reach, discount, gram_turn = (
        weights[gated(name)] for name in ("threshold", "reach", "discount", "gram_turn")
    )
    return Scope(
        tf.nn.relu(threshold),
        tf.sigmoid(reach),
        tf.nn.softplus(discount),
        2 * tf.sigmoid(gram_turn),
    )


def _pooled(maps: Tensor, counted: Sequence[Tensor], word: Tensor) -> Tensor:
    """Return maximum and mean of the maps, for each way to count tokens: (batch, …)."""
    import tensorflow as tf

    words = tf.maximum(tf.reduce_sum(word, 1), 1.0)
    parts = [maps * gate for gate in counted]
    return tf.concat(
        [p for part in parts for p in (tf.reduce_max(part, 1), tf.reduce_sum(part, 1) / words)], -1
    )
