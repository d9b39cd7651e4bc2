"""The trained bidirectional GRU, run with both directions in one set of matrices."""

from typing import Any

import numpy as np

from iyu.worker.model.network import Tensor


class FusedGru:
    """A Keras `Bidirectional(GRU(reset_after=False))`, merged by concatenation, for inference.

    Keras runs the directions one after the other and every gate by itself. On batches of a few
    hundred short rows the number of operations is the cost, so both directions share a state
    (batch, 2 · units) with block-diagonal recurrent weights, and a step has one product for the
    gates and one for the candidate. The weights are copied: train first.

    Source: Cho et al. 2014, Learning Phrase Representations using RNN Encoder–Decoder, §2.3.
    """

    def __init__(self, bidirectional: Any) -> None:
        cells = [
            layer.cell for layer in (bidirectional.forward_layer, bidirectional.backward_layer)
        ]
        self.units = int(cells[0].units)
        kernels, recurrent, biases = (
            [_gates(getattr(cell, name)) for cell in cells]
            for name in ("kernel", "recurrent_kernel", "bias")
        )
        # Columns: update (forward, backward), reset (both), candidate (both).
        self._kernel = np.concatenate([k[:, i] for i in range(3) for k in kernels], axis=-1)
        self._bias = np.concatenate([b[i] for i in range(3) for b in biases])
        update, reset, candidate = (
            _block_diagonal(*(r[:, i] for r in recurrent)) for i in range(3)
        )
        self._recurrent_gates = np.concatenate([update, reset], axis=1)
        self._recurrent_candidate = candidate
        forward = np.repeat([True, False], self.units)
        self._is_forward = np.tile(forward, 3)[np.newaxis]

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the last states: (batch, 2 · units), from inputs (batch, steps, features)."""
        state = None
        for gates, candidate in self._project(inputs):
            state = self._step(state, gates, candidate)
        return state

    def _project(self, inputs: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return what the inputs give to gates and candidate, step by step."""
        import tensorflow as tf

        steps, features = inputs.shape[1:]
        flat = tf.reshape(tf.transpose(inputs, [1, 0, 2]), [-1, features])
        projected = tf.reshape(
            tf.matmul(flat, self._kernel) + self._bias, [steps, -1, 6 * self.units]
        )
        by_step = tf.unstack(projected)
        both = [
            tf.where(self._is_forward, ahead, behind)
            for ahead, behind in zip(by_step, reversed(by_step), strict=True)
        ]
        return [tuple(tf.split(step, [4 * self.units, 2 * self.units], axis=1)) for step in both]

    def _step(self, state: Tensor | None, gates: Tensor, candidate: Tensor) -> Tensor:
        import tensorflow as tf

        if state is None:  # the state before the first step is zero
            update, _ = tf.split(tf.sigmoid(gates), 2, axis=1)
            return (1.0 - update) * tf.tanh(candidate)
        gates += tf.matmul(state, self._recurrent_gates)
        update, reset = tf.split(tf.sigmoid(gates), 2, axis=1)
        candidate = tf.tanh(candidate + tf.matmul(reset * state, self._recurrent_candidate))
        return candidate + update * (state - candidate)


def _gates(weight: Any) -> Any:
    """Split a weight (…, 3 · units) into (…, 3, units): update, reset, candidate."""
    values = weight.numpy() if hasattr(weight, "numpy") else np.asarray(weight)
    return values.reshape(*values.shape[:-1], 3, -1)


def _block_diagonal(first: Any, second: Any) -> Any:
    zeros = np.zeros_like(first)
    return np.block([[first, zeros], [zeros, second]])
