"""Signed Grad-CAM on the logit, over all convolutions."""

from dataclasses import dataclass
from typing import ClassVar

from worker.explain.method import Method
from worker.explain.share import share_bias, share_uniform
from worker.explain.trace import Trace
from worker.model.network import Network, Tensor


@dataclass(frozen=True)
class GradCam(Method):
    """heat = Σ_f w_f · A[t,f] with w_f = mean_s ∂z/∂A[s,f], shared by kernel slot.

    A token gets exactly what it put into the positions that saw it, and an even part of their
    bias, so that the sum over tokens is Σ_{s,f} w_f · A[s,f].
    No ReLU: evidence against is half of the story in sentiment. On the logit: a confident
    probability has no gradient left (∂p = p(1 − p) ∂z).
    Source: Selvaraju et al. 2017, Grad-CAM, §3, without the ReLU of their equation 2.
    """

    name: ClassVar[str] = "gradcam"

    def heat(self, network: Network, trace: Trace) -> Tensor:
        """Return heat: (batch, tokens)."""
        import tensorflow as tf

        parts = []
        for i in self.selected(network):
            convolution = network.convolutions[i]
            weights = tf.reduce_mean(trace.gradients[i], axis=1)
            parts.append(share_uniform(convolution, trace.embedded, weights))
            parts.append(share_bias(convolution, weights, int(trace.embedded.shape[1])))
        return tf.add_n(parts)
