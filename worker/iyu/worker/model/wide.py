"""The preset `wide`: n-grams with a weight each, beside convolutions over tokens.

    z = deep(tokens) + Σ_t gate[t] · wide[t]

Negation and contrast gate both branches (`iyu.worker.model.scope`): what the convolutions find in
a token is read as it stands, or as negated. The convolutions have no bias and are read through a
ReLU, and padding is not read at all: a position of padding adds nothing, however much of it there
is.
Source: Cheng et al. 2016, Wide & Deep Learning for Recommender Systems, §3; Kim 2014,
Convolutional Neural Networks for Sentence Classification, §2.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.network import Convolution, Inputs, Tensor, close_up
from iyu.worker.model.scope import Gates, Scope, cause_heat, read_gates
from iyu.worker.model.wide_artifact import (
    EMBEDDING,
    EMBEDDING_SCALE,
    SCOPE_DISCOUNT,
    SCOPE_GRAM_TURN,
    SCOPE_KERNEL,
    SCOPE_REACH,
    SCOPE_THRESHOLD,
)
from iyu.worker.text.ngrams import SPANS
from iyu.worker.text.subwords import SLOTS

#: Numbers of tokens compiled for beside the window: most reviews are short.
NARROW: Final = (16, 32)
#: The name of the convolution that the gates are read from.
SCOPE: Final = "scope"
Tables = Mapping[str, NDArray[Any]]


class WideNetwork:
    """The trained model, split as `iyu.worker.model.network.Network` requires.

    inputs: ids (batch, tokens) int32; pieces (batch, tokens, 3) int32, the other rows of a token;
    gram_weight and gram_count (batch, tokens, spans) float32: sum and number of the n-grams that
    begin in a token and cover 0 … spans − 1 further ones.
    """

    has_wide = True
    is_rectified = True
    is_fused = True

    def __init__(self, model: Any, tables: Tables) -> None:
        self._length = int(model.inputs[0].shape[1])
        self.widths = (*(w for w in NARROW if w < self._length), self._length)
        scale = tables[EMBEDDING_SCALE].astype(np.float32)
        self._table = _constant(tables[EMBEDDING].astype(np.float32) * scale)
        self._scale = float(np.asarray(model.get_layer("scale").kernel).item())
        self._hidden, self._logit = model.get_layer("hidden"), model.get_layer("logit")
        layers = [layer for layer in model.layers if layer.name.startswith("conv")]
        kernels = {layer.name: layer.kernel.numpy() for layer in layers}
        self.scope = _read_scope(tables)
        if self.scope:
            kernels[SCOPE] = tables[SCOPE_KERNEL].astype(np.float32)
        self.convolutions = tuple(
            Convolution(name, kernel, np.zeros(kernel.shape[-1], np.float32))
            for name, kernel in kernels.items()
        )
        slots = [slot for kernel in kernels.values() for slot in kernel]
        self._slots = _constant(np.concatenate(slots, axis=1))  # (features, all slots' filters)

    def signature(self, tokens: int | None = None) -> dict[str, Any]:
        """Return a tf.TensorSpec for each input, batch free."""
        import tensorflow as tf

        row = [None, tokens or self._length]
        return {
            "ids": tf.TensorSpec(row, tf.int32),
            "pieces": tf.TensorSpec([*row, SLOTS - 1], tf.int32),
            "gram_weight": tf.TensorSpec([*row, SPANS], tf.float32),
            "gram_count": tf.TensorSpec([*row, SPANS], tf.float32),
        }

    def embed(self, inputs: Inputs) -> Tensor:
        """Return embedded: (batch, tokens, features); padding is zero."""
        import tensorflow as tf

        rows = tf.concat([inputs["ids"][..., tf.newaxis], inputs["pieces"]], axis=-1)
        return tf.reduce_sum(tf.gather(self._table, rows), axis=2) * word(inputs)

    def convolve(self, embedded: Tensor) -> tuple[Tensor, ...]:
        """Return activations: (batch, tokens, filters) a kernel."""
        return self._add_up(self._by_slot(embedded))

    def _by_slot(self, embedded: Tensor) -> Tensor:
        """Return what each token gives by each slot of each kernel: (batch, tokens, slots · f)."""
        import tensorflow as tf

        flat = tf.matmul(tf.reshape(embedded, [-1, embedded.shape[-1]]), self._slots)
        return tf.reshape(flat, [-1, embedded.shape[1], self._slots.shape[1]])

    def _add_up(self, by_slot: Tensor) -> tuple[Tensor, ...]:
        """Return activations: each position the sum over the tokens that its kernel sees."""
        import tensorflow as tf

        sizes = [c.kernel.shape[-1] for c in self.convolutions for _ in range(c.slots)]
        given = iter(tf.split(by_slot, sizes, axis=-1))
        return tuple(
            tf.add_n([_moved(next(given), c.offset(slot)) for slot in range(c.slots)])
            for c in self.convolutions
        )

    def wide(self, inputs: Inputs) -> Tensor:
        """Return what the n-grams give each token, before any gate: (batch, tokens).

        An n-gram's share is the same for every token it lies in.
        """
        import tensorflow as tf

        share = inputs["gram_weight"] / np.arange(1, SPANS + 1, dtype=np.float32)
        given = tf.reduce_sum(share, axis=2)
        for further in range(1, min(SPANS, int(share.shape[1]))):
            passed = tf.reduce_sum(share[:, :-further, further:], axis=2)
            given += tf.pad(passed, [[0, 0], [further, 0]])
        return given * self._gram_scale(inputs)[:, tf.newaxis]

    def _gram_scale(self, inputs: Inputs) -> Tensor:
        import tensorflow as tf

        count = tf.reduce_sum(inputs["gram_count"], axis=[1, 2])
        return self._scale * tf.math.rsqrt(1.0 + count)

    def logit(self, activations: tuple[Tensor, ...], inputs: Inputs) -> Tensor:
        """Return z: (batch,)."""
        return self._z(activations, inputs, self.wide(inputs))

    def _z(self, activations: tuple[Tensor, ...], inputs: Inputs, wide: Tensor) -> Tensor:
        """Return z: (batch,); wide: what the n-grams give each token, before any gate."""
        import tensorflow as tf

        maps, gates = self._read(activations, inputs)
        if gates is not None:
            wide *= gates.of_grams
        return self.deep(_pooled(maps, gates, inputs)) + tf.reduce_sum(wide, axis=1)

    def _read(self, activations: tuple[Tensor, ...], inputs: Inputs) -> tuple[Tensor, Gates | None]:
        """Return what fires: (batch, tokens, all filters), and the gates, if there are any."""
        if self.scope is None:
            return _fired(activations, inputs), None
        *maps, scope = activations
        return _fired(maps, inputs), read_gates(scope * word(inputs), self.scope)

    def shortened(self, inputs: Inputs, embedded: Tensor, kept: Tensor, tokens: int) -> Tensor:
        """Return z of the same reviews with only the kept tokens, closed up: (batch,).

        Like `keep`, but moves what a token contributes by each slot instead of computing it again:
        the compiler reuses the same product in `convolve`.
        """
        import tensorflow as tf

        order = close_up(kept)[:, -tokens:]
        ids = tf.gather(tf.where(kept, inputs["ids"], 0), order, batch_dims=1)
        by_slot = tf.gather(self._by_slot(embedded), order, batch_dims=1)
        wide = tf.gather(self.wide(_whole_grams(inputs, kept)), order, batch_dims=1)
        shorter = {"ids": ids}
        return self._z(self._add_up(by_slot * word(shorter)), shorter, wide)

    def channel_weights(
        self, activations: tuple[Tensor, ...], inputs: Inputs
    ) -> tuple[Tensor, Tensor]:
        """Return Grad-CAM's weights of what fires, as it stands and negated: (batch, filters) each.

        The mean of ∂z over the positions where a filter fires: the mean over the tokens splits its
        gradient evenly over all positions, the maximum passes all of it to one. So no gradient of
        the size of the activations is computed.
        """
        import tensorflow as tf

        maps, gates = self._read(activations, inputs)
        pooled = _pooled(maps, gates, inputs)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(pooled)
            deep = self.deep(pooled)
        parts = iter(tf.split(tape.gradient(deep, pooled), 4 if gates else 2, axis=1))
        words = tf.maximum(tf.reduce_sum(word(inputs), 1), 1.0)
        there = tf.ones_like(inputs["ids"], tf.float32)
        gate_of = (there, tf.sign(gates.negated)) if gates else (there,)
        fires = tf.unstack(tf.matmul(tf.stack(gate_of, 1), tf.sign(maps)), axis=1)
        found = [
            next(parts) / tf.maximum(count, 1.0) * tf.sign(count) + next(parts) / words
            for count in fires
        ]
        return found[0], found[1] if gates else tf.zeros_like(found[0])

    def channel_heat(
        self, activations: tuple[Tensor, ...], inputs: Inputs
    ) -> tuple[tuple[Tensor, ...], Tensor | None]:
        """Return Grad-CAM's heat by position of each convolution, and the heat of the gates.

        (batch, tokens) each. A position has what it says as it stands; what negation and contrast
        make of it, in both branches, belongs to the tokens that cause them.
        """
        import tensorflow as tf

        plain, negated = self.channel_weights(activations, inputs)
        maps, gates = self._read(activations, inputs)
        parts = len(self.convolutions) - (1 if gates else 0)
        by_layer = tuple(
            tf.reduce_sum(part, axis=-1)
            for part in tf.split(maps * plain[:, tf.newaxis], parts, axis=-1)
        )
        if gates is None:
            return by_layer, None
        wide = self.wide(inputs)
        as_is = tf.add_n(by_layer)
        change = tf.linalg.matvec(maps, negated) - as_is - gates.gram_turn * wide
        negation = change * gates.negated
        contrast = (gates.weight - 1.0) * (as_is + wide + negation)
        return by_layer, cause_heat(gates, negation, contrast)

    def deep(self, pooled: Tensor) -> Tensor:
        """Return what the convolutions say: (batch,), from what `_pooled` gives."""
        import tensorflow as tf

        hidden = self._hidden(pooled)
        return (tf.matmul(hidden, self._logit.kernel) + self._logit.bias)[:, 0]

    def keep(self, inputs: Inputs, kept: Tensor) -> Inputs:
        """Return a shorter review: the other tokens taken out, padding in front.

        An n-gram goes with any token it lies in. Those that would form across the gap are not
        made: they were no evidence in the review that is explained.
        """
        import tensorflow as tf

        order = close_up(kept)
        masked = self.mask(inputs, kept)
        return {name: tf.gather(value, order, batch_dims=1) for name, value in masked.items()}

    def mask(self, inputs: Inputs, kept: Tensor) -> Inputs:
        """Return the review with padding for the other tokens, and without their n-grams."""
        import tensorflow as tf

        return {
            "ids": tf.where(kept, inputs["ids"], 0),
            "pieces": tf.where(kept[..., tf.newaxis], inputs["pieces"], 0),
            **_whole_grams(inputs, kept),
        }


def word(inputs: Inputs) -> Tensor:
    """Return 1 for a token, 0 for padding: (batch, tokens, 1) float32."""
    import tensorflow as tf

    return tf.cast(inputs["ids"] > 0, tf.float32)[..., tf.newaxis]


def _fired(activations: Sequence[Tensor], inputs: Inputs) -> Tensor:
    """Return activations after the ReLU, zero at padding: (batch, tokens, all filters)."""
    import tensorflow as tf

    return tf.nn.relu(tf.concat(activations, axis=-1)) * word(inputs)


def _pooled(maps: Tensor, gates: Gates | None, inputs: Inputs) -> Tensor:
    """Return maximum and mean over the tokens: (batch, 2 × all filters).

    With gates: of what counts as it stands, and of what counts as negated, (batch, 4 × filters).
    """
    import tensorflow as tf

    words = tf.maximum(tf.reduce_sum(word(inputs), 1), 1.0)
    if gates is None:
        return tf.concat([tf.reduce_max(maps, 1), tf.reduce_sum(maps, 1) / words], axis=-1)
    counted = (gates.passed, gates.turned)
    parts = [maps * gate[..., tf.newaxis] for gate in counted]
    return tf.concat(
        [p for part in parts for p in (tf.reduce_max(part, 1), tf.reduce_sum(part, 1) / words)], -1
    )


def _read_scope(tables: Tables) -> Scope | None:
    """Return what the tables hold of it; artifacts from before there was one hold nothing."""
    if SCOPE_KERNEL not in tables:
        return None
    names = (SCOPE_THRESHOLD, SCOPE_REACH, SCOPE_DISCOUNT, SCOPE_GRAM_TURN)
    return Scope(*(_constant(tables[name].astype(np.float32)) for name in names))


def _moved(values: Tensor, offset: int) -> Tensor:
    """Return at each position what stands `offset` further on, zeros past the ends."""
    import tensorflow as tf

    if offset == 0:
        return values
    part = values[:, offset:] if offset > 0 else values[:, :offset]
    return tf.pad(part, [[0, 0], [max(-offset, 0), max(offset, 0)], [0, 0]])


def _whole_grams(inputs: Inputs, kept: Tensor) -> Inputs:
    """Return the n-grams all of whose tokens are kept."""
    import tensorflow as tf

    whole = tf.cast(_whole(kept), tf.float32)
    return {name: inputs[name] * whole for name in ("gram_weight", "gram_count")}


def _whole(kept: Tensor) -> Tensor:
    """Return whether a token and the next 0 … spans − 1 are all kept: (batch, tokens, spans)."""
    import tensorflow as tf

    found = [kept]
    for further in range(1, SPANS):
        # By moving one token at a time, for a row may have fewer tokens than spans.
        later = kept
        for _ in range(further):
            later = tf.pad(later[:, 1:], [[0, 0], [0, 1]])
        found.append(found[-1] & later)
    return tf.stack(found, axis=-1)


def _constant(values: NDArray[np.float32]) -> Any:
    import tensorflow as tf

    return tf.Variable(values, trainable=False)  # a constant would be copied into every graph
