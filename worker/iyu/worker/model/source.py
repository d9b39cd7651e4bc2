"""The source's network: three parallel convolutions, a bidirectional GRU, one logit."""

from typing import Any, Final

from iyu.worker.model.gru import FusedGru
from iyu.worker.model.network import Convolution, Inputs, Tensor, close_up
from iyu.worker.text.vocabulary import PAD

EMBEDDING: Final = 50
#: (filters, kernel) of the parallel convolutions.
CONVOLUTIONS: Final = ((32, 1), (16, 2), (8, 3))
GRU_UNITS: Final = 10
DROPOUT: Final = 0.2


def build(vocabulary_size: int, length: int) -> Any:
    """Return the untrained Keras model: 258,597 parameters at 5,002 ids.

    inputs: ids (batch, length) int32. output: probability (batch, 1) float32.
    """
    import keras
    from keras import layers

    ids = keras.Input((length,), dtype="int32", name="ids")
    embedded = layers.Embedding(vocabulary_size, EMBEDDING, name="embedding")(ids)
    pooled = []
    for filters, kernel in CONVOLUTIONS:
        convolved = layers.Conv1D(filters, kernel, padding="same", name=f"conv{kernel}")(embedded)
        pooled.append(layers.AveragePooling1D(2, name=f"pool{kernel}")(convolved))
    joined = layers.Concatenate(name="joined")(pooled)
    gru = layers.GRU(
        GRU_UNITS,
        dropout=DROPOUT,
        recurrent_dropout=DROPOUT,
        reset_after=False,  # the variant whose parameters the source counts
        unroll=True,  # nine steps: a loop would cost more than they do
    )
    recurrent = layers.Bidirectional(gru, name="recurrent")(joined)
    probability = layers.Dense(1, activation="sigmoid", name="probability")(recurrent)
    return keras.Model(ids, probability, name="source")


class SourceNetwork:
    """The trained Keras model, split as `iyu.worker.model.network.Network` requires."""

    has_wide = False
    is_rectified = False
    is_fused = False

    def __init__(self, model: Any) -> None:
        self._length = int(model.inputs[0].shape[1])
        self.widths: tuple[int, ...] = (self._length,)  # padding is read like words
        self._embedding = model.get_layer("embedding")
        self._layers = [model.get_layer(f"conv{kernel}") for _, kernel in CONVOLUTIONS]
        self._pools = [model.get_layer(f"pool{kernel}") for _, kernel in CONVOLUTIONS]
        self._recurrent = FusedGru(model.get_layer("recurrent"))
        self._dense = model.get_layer("probability")
        self.convolutions = tuple(
            Convolution(layer.name, layer.kernel.value, layer.bias.value) for layer in self._layers
        )

    def signature(self, tokens: int | None = None) -> dict[str, Any]:
        """Return ids: (batch, tokens) int32."""
        import tensorflow as tf

        return {"ids": tf.TensorSpec((None, tokens or self._length), tf.int32)}

    def embed(self, inputs: Inputs) -> Tensor:
        """Return embedded: (batch, tokens, 50)."""
        return self._embedding(inputs["ids"])

    def convolve(self, embedded: Tensor) -> tuple[Tensor, ...]:
        """Return activations: (batch, tokens, 32), (batch, tokens, 16), (batch, tokens, 8)."""
        return tuple(layer(embedded) for layer in self._layers)

    def wide(self, inputs: Inputs) -> Tensor:
        """Return zero: (batch, tokens); there is nothing beside the convolutions."""
        import tensorflow as tf

        return tf.zeros(tf.shape(inputs["ids"]))

    def logit(self, activations: tuple[Tensor, ...], inputs: Inputs) -> Tensor:
        """Return z: (batch,)."""
        import tensorflow as tf

        pooled = [pool(a) for pool, a in zip(self._pools, activations, strict=True)]
        recurrent = self._recurrent(tf.concat(pooled, axis=-1))
        return (tf.matmul(recurrent, self._dense.kernel) + self._dense.bias)[:, 0]

    def keep(self, inputs: Inputs, kept: Tensor) -> Inputs:
        """Return the ids of a shorter review: the other tokens taken out, padding in front."""
        import tensorflow as tf

        return {"ids": tf.gather(self.mask(inputs, kept)["ids"], close_up(kept), batch_dims=1)}

    def mask(self, inputs: Inputs, kept: Tensor) -> Inputs:
        """Return the ids with padding in place of the other tokens."""
        import tensorflow as tf

        return {"ids": tf.where(kept, inputs["ids"], PAD)}
