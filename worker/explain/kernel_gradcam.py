"""The source's own variant: filters weighted by the gradient of their kernels."""

from typing import ClassVar

from worker.explain.trace import Trace
from worker.model.network import Convolution, Network, Tensor


class KernelGradCam:
    """heat_t = mean_f w_f · A[t,f] with w_f the mean over slots and channels of ∂p/∂W[k,c,f].

    On the first convolution and the probability, as the source has it. Not invariant: flip the
    sign of an embedding dimension together with its kernel rows, and the same model gets another
    heatmap (docs/explanations.md).
    """

    name: ClassVar[str] = "kernel_gradcam"
    target: ClassVar[str] = "probability"

    def layers(self, network: Network) -> str:
        """Name the first convolution."""
        return network.convolutions[0].name

    def heat(self, network: Network, trace: Trace) -> Tensor:
        """Return heat: (batch, tokens).

        ∂z/∂W[k,c,f] = Σ_t g[t,f] · x[t + offset(k), c], so its mean over k and c needs only the
        window means of the embeddings' means: no loop over reviews.
        """
        import tensorflow as tf

        first = network.convolutions[0]
        slope = (trace.probability * (1.0 - trace.probability))[:, tf.newaxis]  # ∂p/∂z
        window = _window_mean(tf.reduce_mean(trace.embedded, axis=-1), first)
        weights = slope * tf.einsum("btf,bt->bf", trace.gradients[0], window)
        return tf.einsum("btf,bf->bt", trace.activations[0], weights) / float(
            first.kernel.shape[-1]
        )


def _window_mean(means: Tensor, convolution: Convolution) -> Tensor:
    """Return the mean over a kernel's slots of what each position sees: (batch, tokens)."""
    import tensorflow as tf

    before = -convolution.offset(0)
    after = convolution.offset(convolution.slots - 1)
    tokens = means.shape[1]
    padded = tf.pad(means, [[0, 0], [before, after]])
    seen = [padded[:, slot : slot + tokens] for slot in range(convolution.slots)]
    return tf.add_n(seen) / float(convolution.slots)
