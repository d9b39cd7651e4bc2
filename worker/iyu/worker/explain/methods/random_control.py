"""Random heat: the control that every method has to beat."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from iyu.worker.explain.methods.method import Method
from iyu.worker.explain.trace import Trace
from iyu.worker.model.network import Network, Tensor

#: Odd constants of the SplitMix64 generator (Steele et al. 2014, Fast Splittable Pseudorandom
#: Number Generators, §5); unsigned 64-bit arithmetic wraps, as it should.
_STEP: Final = 0x9E3779B97F4A7C15
_MIX_1: Final = 0xBF58476D1CE4E5B9
_MIX_2: Final = 0x94D049BB133111EB


@dataclass(frozen=True)
class RandomControl(Method):
    """heat_t uniform in −1 … 1, settled by the review's ids alone; padding has none.

    The same review has the same heat in any chunk, on any machine, with any model.
    """

    name: ClassVar[str] = "random"
    has_layers: ClassVar[bool] = False
    needs_wide: ClassVar[bool] = False

    def heat(self, network: Network, trace: Trace) -> Tensor:
        """Return heat: (batch, tokens)."""
        import tensorflow as tf

        ids = tf.cast(trace.inputs["ids"], tf.uint64)
        tokens = int(ids.shape[1])
        places = np.arange(1, tokens + 1, dtype=np.uint64) * np.uint64(_STEP)
        review = tf.reduce_sum(_mix(ids * places + places), axis=1, keepdims=True)
        bits = tf.bitwise.right_shift(_mix(review + places), tf.constant(40, tf.uint64))
        heat = tf.cast(bits, tf.float32) / 2.0**23 - 1.0
        return tf.where(trace.inputs["ids"] != 0, heat, 0.0)


def _mix(values: Tensor) -> Tensor:
    """Scatter the bits of each value: uint64 to uint64."""
    import tensorflow as tf

    for shift, factor in ((30, _MIX_1), (27, _MIX_2)):
        shifted = tf.bitwise.right_shift(values, tf.constant(shift, tf.uint64))
        values = tf.bitwise.bitwise_xor(values, shifted) * tf.constant(factor, tf.uint64)
    return tf.bitwise.bitwise_xor(
        values, tf.bitwise.right_shift(values, tf.constant(31, tf.uint64))
    )
