"""Gradient × input, in the space of the embeddings."""

from dataclasses import dataclass
from typing import ClassVar

from iyu.worker.explain.kernel_slot_shares import share
from iyu.worker.explain.methods.method import Method
from iyu.worker.explain.trace import Trace
from iyu.worker.model.network import Network, Tensor


@dataclass(frozen=True)
class GradientXInput(Method):
    """heat_t = x[t] · ∂z/∂x[t]: HiResCAM with each position's share handed to who made it.

    Through an affine convolution the chain rule is that sharing, and
    Σ_t heat_t = Σ_{s,f} g[s,f] · (A[s,f] − bias_f).
    Source: Shrikumar et al. 2016, Not Just a Black Box (arXiv 1605.01713v1), on gradient × input.
    """

    name: ClassVar[str] = "gradient_x_input"

    def heat(self, network: Network, trace: Trace) -> Tensor:
        """Return heat: (batch, tokens)."""
        import tensorflow as tf

        parts = [
            share(network.convolutions[i], trace.embedded, trace.gradients[i])
            for i in self.selected(network)
        ]
        return tf.add_n(parts)
