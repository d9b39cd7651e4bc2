"""One forward and one backward pass, shared by every method that reads gradients."""

from dataclasses import dataclass

from worker.model.network import Inputs, Network, Tensor


@dataclass(frozen=True, slots=True)
class Trace:
    """What a pass leaves behind for the methods to read."""

    inputs: Inputs
    embedded: Tensor  # (batch, tokens, features)
    activations: tuple[Tensor, ...]  # A: one (batch, tokens, filters) a convolution
    gradients: tuple[Tensor, ...]  # g = ∂z/∂A, shaped as A
    logit: Tensor  # z: (batch,)
    probability: Tensor  # (batch,)


def trace(network: Network, inputs: Inputs) -> Trace:
    """Run a network forward, and back from the logit to its convolutions."""
    import tensorflow as tf

    embedded = network.embed(inputs)
    activations = network.convolve(embedded)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(activations)
        logit = network.logit(activations, inputs)
    gradients = tape.gradient(logit, activations)
    return Trace(inputs, embedded, activations, tuple(gradients), logit, tf.sigmoid(logit))


def share_by_slot(network: Network, embedded: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
    """Give every weighted activation back to the tokens that made it, kernel slot by kernel slot.

    weights: one (batch, tokens, filters) a convolution. Returns heat: (batch, tokens), whose sum
    over tokens is Σ weights · (A − bias): the bias is nobody's evidence.

    A convolution is affine, so the share of token u is its embedding times the transposed
    convolution of the weights at u: the vector-Jacobian product.
    """
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(embedded)
        activations = network.convolve(embedded)
    back = tape.gradient(activations, embedded, output_gradients=weights)
    return tf.reduce_sum(embedded * back, axis=-1)
