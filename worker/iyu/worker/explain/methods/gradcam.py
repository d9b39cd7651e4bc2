"""Signed Grad-CAM on the logit, over all convolutions."""

from dataclasses import dataclass
from typing import ClassVar, cast

from iyu.worker.explain.kernel_slot_shares import share_bias, share_uniform, spread_over_words
from iyu.worker.explain.methods.method import Method
from iyu.worker.explain.trace import Trace
from iyu.worker.model.network import Network, RectifiedNetwork, Tensor


@dataclass(frozen=True)
class GradCam(Method):
    """heat = Σ_f w_f · A[t,f] with w_f = mean_s ∂z/∂A[s,f], shared by kernel slot.

    A token gets exactly what it put into the positions that saw it, and an even part of their
    bias, so that the sum over tokens is Σ_{s,f} w_f · A[s,f].
    No ReLU: evidence against is half of the story in sentiment. On the logit: a confident
    probability has no gradient left (∂p = p(1 − p) ∂z).
    Where activations go through a ReLU, heat = Σ_f w_f · max(A[t,f], 0), and w_f is the mean of
    ∂z/∂A over the positions where a filter fires (elsewhere it is cut off by definition), shared
    evenly by the tokens that a position saw. Where words are gated by negation and contrast, a
    word keeps what it says as it stands, and what the gates change goes to the words that cause it.
    Source: Selvaraju et al. 2017, Grad-CAM, §3, without the ReLU of their equation 2.
    """

    name: ClassVar[str] = "gradcam"
    any_width: ClassVar[bool] = True

    def heat(self, network: Network, trace: Trace) -> Tensor:
        """Return heat: (batch, tokens)."""
        import tensorflow as tf

        if network.is_rectified:
            return self._rectified(cast("RectifiedNetwork", network), trace)
        parts = []
        for i in self.selected(network):
            convolution = network.convolutions[i]
            weights = tf.reduce_mean(trace.gradients[i], axis=1)
            parts.append(share_uniform(convolution, trace.embedded, weights))
            parts.append(share_bias(convolution, weights, int(trace.embedded.shape[1])))
        return tf.add_n(parts)

    def _rectified(self, network: RectifiedNetwork, trace: Trace) -> Tensor:
        import tensorflow as tf

        word = tf.cast(trace.inputs["ids"] > 0, tf.float32)
        by_layer, of_gates = network.channel_heat(trace.activations, trace.inputs)
        spread = [
            spread_over_words(network.convolutions[i], by_layer[i], word)
            for i in self.selected(network)
            if i < len(by_layer)
        ]
        reads_gates = of_gates is not None and len(by_layer) in self.selected(network)
        return tf.add_n([*spread, of_gates * word] if reads_gates else spread)
