"""HiResCAM: every position weighs its own gradient."""

from dataclasses import dataclass
from typing import ClassVar

from iyu.worker.explain.kernel_slot_shares import spread
from iyu.worker.explain.methods.method import Method
from iyu.worker.explain.trace import Trace
from iyu.worker.model.network import Network, Tensor


@dataclass(frozen=True)
class HiResCam(Method):
    """heat at position s = Σ_f g[s,f] · A[s,f], spread evenly over the tokens its kernel saw.

    The mean over positions that Grad-CAM takes can point at places the score does not depend on;
    without it the heat is the model's own local linear account of each position.
    Source: Draelos and Carin 2020, Use HiResCAM instead of Grad-CAM, §3.
    """

    name: ClassVar[str] = "hirescam"

    def heat(self, network: Network, trace: Trace) -> Tensor:
        """Return heat: (batch, tokens), whose sum is Σ g · A."""
        import tensorflow as tf

        parts = [
            spread(
                network.convolutions[i],
                tf.einsum("btf,btf->bt", trace.gradients[i], trace.activations[i]),
            )
            for i in self.selected(network)
        ]
        return tf.add_n(parts)
