"""Signed Grad-CAM on the logit, over all convolutions."""

from typing import ClassVar

from worker.explain.method import all_convolutions
from worker.explain.trace import Trace, share_by_slot
from worker.model.network import Network, Tensor


class GradCam:
    """heat = Σ_f w_f · A[t,f] with w_f = mean_s ∂z/∂A[s,f], shared by kernel slot.

    No ReLU: evidence against is half of the story in sentiment. On the logit: a confident
    probability has no gradient left (∂p = p(1 − p) ∂z).
    Source: Selvaraju et al. 2017, Grad-CAM, §3, without the ReLU of their equation 2.
    """

    name: ClassVar[str] = "gradcam"
    target: ClassVar[str] = "logit"

    def layers(self, network: Network) -> str:
        """Name every convolution."""
        return all_convolutions(network)

    def heat(self, network: Network, trace: Trace) -> Tensor:
        """Return heat: (batch, tokens)."""
        import tensorflow as tf

        weights = tuple(
            tf.broadcast_to(tf.reduce_mean(g, axis=1, keepdims=True), tf.shape(g))
            for g in trace.gradients
        )
        return share_by_slot(network, trace.embedded, weights)
