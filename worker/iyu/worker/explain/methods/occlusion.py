"""Occlusion: what the score loses when a token is not there."""

from dataclasses import dataclass
from typing import ClassVar

from iyu.worker.explain.methods.method import Method
from iyu.worker.explain.trace import Trace, forward
from iyu.worker.model.network import Network, Tensor


@dataclass(frozen=True)
class Occlusion(Method):
    """heat_t = z(x) − z(x with padding in place of token t).

    No gradient and no assumption, for one forward pass a token. Two words that say the same hide
    each other: either can go and the score stays.
    Source: Zeiler and Fergus 2014, Visualizing and Understanding Convolutional Networks, §4.2.
    """

    name: ClassVar[str] = "occlusion"
    has_layers: ClassVar[bool] = False
    needs_wide: ClassVar[bool] = False

    def heat(self, network: Network, trace: Trace) -> Tensor:
        """Return heat: (batch, tokens); padding has none."""
        import tensorflow as tf

        tokens = trace.inputs["ids"].shape[1]
        batch = tf.shape(trace.logit)[0]
        others = tf.repeat(~tf.eye(tokens, dtype=tf.bool), batch, axis=0)
        repeated = {name: tf.concat([v] * tokens, axis=0) for name, v in trace.inputs.items()}
        without = forward(network, network.mask(repeated, others))
        return trace.logit[:, tf.newaxis] - tf.transpose(tf.reshape(without, [tokens, batch]))
