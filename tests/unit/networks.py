"""Small networks for tests: one to reckon with on paper, one of the real architecture."""

from typing import Any

import numpy as np

from iyu.worker.model.network import Convolution, Inputs, Tensor, close_up
from iyu.worker.model.source import SourceNetwork, build

#: Embeddings of PAD, A, B.
EMBEDDINGS = [[0.0, 1.0], [3.0, 0.0], [1.0, -1.0]]
A, B = 1, 2
TOKENS = 3


class TinyNetwork:
    """z = scale · (Σ_t (t + 1) · a1[t] + ½ (Σ_t a2[t])² − 26) + Σ_t wide[t], over three tokens.

    a1[t] = x[t,0] + 2 x[t,1] + ½          (kernel of one token)
    a2[t] = x[t,0] + x[t+1,1] + 1          (kernel of two; past the end is zero)
    For PAD A B: a1 = 2.5, 3.5, −0.5; a2 = 1, 3, 2; so z = scale · (8 + 18 − 26) = 0,
    ∂z/∂a1 = 1, 2, 3 and ∂z/∂a2 = 6, 6, 6.
    """

    def __init__(self, *, scale: float = 1.0, wide: list[float] | None = None) -> None:
        self.has_wide = wide is not None
        self.is_rectified = False
        self.is_fused = False
        self.widths = (TOKENS,)
        self._wide = np.float32(wide or [0, 0, 0])
        self._scale = scale
        self._embeddings = np.float32(EMBEDDINGS)
        self.convolutions = (
            Convolution("conv1", np.float32([[[1], [2]]]), np.float32([0.5])),
            Convolution("conv2", np.float32([[[1], [0]], [[0], [1]]]), np.float32([1])),
        )

    def signature(self, tokens: int | None = None) -> dict[str, Any]:
        import tensorflow as tf

        return {"ids": tf.TensorSpec((None, TOKENS), tf.int32)}

    def embed(self, inputs: Inputs) -> Tensor:
        import tensorflow as tf

        return tf.gather(self._embeddings, inputs["ids"])

    def convolve(self, embedded: Tensor) -> tuple[Tensor, ...]:
        import tensorflow as tf

        return tuple(
            tf.nn.conv1d(embedded, c.kernel, 1, "SAME") + c.bias for c in self.convolutions
        )

    def wide(self, inputs: Inputs) -> Tensor:
        import tensorflow as tf

        return tf.gather(self._wide, inputs["ids"])

    def logit(self, activations: tuple[Tensor, ...], inputs: Inputs) -> Tensor:
        import tensorflow as tf

        first, second = activations
        z = tf.reduce_sum(first[:, :, 0] * np.float32([1, 2, 3]), axis=1)
        z += tf.reduce_sum(second[:, :, 0], axis=1) ** 2 / 2 - 26.0
        return self._scale * z + tf.reduce_sum(self.wide(inputs), axis=1)

    def keep(self, inputs: Inputs, kept: Tensor) -> Inputs:
        import tensorflow as tf

        return {"ids": tf.gather(self.mask(inputs, kept)["ids"], close_up(kept), batch_dims=1)}

    def mask(self, inputs: Inputs, kept: Tensor) -> Inputs:
        import tensorflow as tf

        return {"ids": tf.where(kept, inputs["ids"], 0)}


def source_model(*, vocabulary: int = 40, length: int = 19, seed: int = 3) -> Any:
    """Return an untrained Keras model of the source's architecture, with weights that say much."""
    import keras

    keras.utils.set_random_seed(seed)
    model = build(vocabulary, length)
    draw = np.random.default_rng(seed)
    model.set_weights([draw.normal(0, 0.4, w.shape).astype(np.float32) for w in model.weights])
    return model


def source_network(**options: int) -> SourceNetwork:
    """Return `source_model` as a network."""
    return SourceNetwork(source_model(**options))


def reviews(count: int, *, vocabulary: int = 40, length: int = 19, seed: int = 5) -> np.ndarray:
    """Return ids: (count, length) int32 of reviews of 1 … length tokens, padding in front."""
    draw = np.random.default_rng(seed)
    ids = draw.integers(1, vocabulary, (count, length), dtype=np.int32)
    words = draw.integers(1, length + 1, (count, 1))
    return np.where(np.arange(length) >= length - words, ids, 0).astype(np.int32)
