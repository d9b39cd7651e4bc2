"""The source's own variant: filters weighted by the gradient of their kernels."""

from dataclasses import dataclass
from typing import ClassVar

from iyu.worker.explain.kernel_slot_shares import spread
from iyu.worker.explain.methods.method import LOGIT, PROBABILITY, Method
from iyu.worker.explain.trace import Trace
from iyu.worker.model.network import Convolution, Network, Tensor


@dataclass(frozen=True)
class KernelGradCam(Method):
    """heat_t = mean_f w_f · A[t,f] with w_f the mean over slots and channels of ∂p/∂W[k,c,f].

    On the first convolution and the probability, as the source has it. Not invariant: flip the
    sign of an embedding dimension together with its kernel rows, and the same model gets another
    heatmap (docs/explanations.md).
    """

    target: str = PROBABILITY

    name: ClassVar[str] = "kernel_gradcam"
    default_layer: ClassVar[str] = "first"
    targets: ClassVar[tuple[str, ...]] = (PROBABILITY, LOGIT)

    def heat(self, network: Network, trace: Trace) -> Tensor:
        """Return heat: (batch, tokens)."""
        import tensorflow as tf

        means = tf.reduce_mean(trace.embedded, axis=-1)
        parts = []
        for i in self.selected(network):
            convolution = network.convolutions[i]
            weights = kernel_weights(convolution, means, trace.gradients[i])
            positions = tf.einsum("btf,bf->bt", trace.activations[i], weights)
            parts.append(spread(convolution, positions / float(convolution.kernel.shape[-1])))
        heat = tf.add_n(parts)
        return trace.slope * heat if self.target == PROBABILITY else heat


def kernel_weights(convolution: Convolution, means: Tensor, gradients: Tensor) -> Tensor:
    """Return the mean over slots and channels of ∂z/∂W[k,c,f]: (batch, filters).

    means: (batch, tokens), of each token's embedding; gradients: (batch, tokens, filters).
    ∂z/∂W[k,c,f] = Σ_t g[t,f] · x[t + offset(k), c], so its mean over k and c needs only the window
    means of the embeddings' means: no loop over reviews.
    """
    import tensorflow as tf

    return tf.einsum("btf,bt->bf", gradients, _window_mean(means, convolution))


def _window_mean(means: Tensor, convolution: Convolution) -> Tensor:
    """Return the mean over a kernel's slots of what each position sees: (batch, tokens)."""
    import tensorflow as tf

    before = -convolution.offset(0)
    after = convolution.offset(convolution.slots - 1)
    tokens = means.shape[1]
    padded = tf.pad(means, [[0, 0], [before, after]])
    seen = [padded[:, slot : slot + tokens] for slot in range(convolution.slots)]
    return tf.add_n(seen) / float(convolution.slots)
