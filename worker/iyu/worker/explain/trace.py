"""One forward and one backward pass, shared by every method that reads gradients."""

from dataclasses import dataclass

from iyu.worker.model.network import Inputs, Network, Tensor


@dataclass(frozen=True, slots=True)
class Trace:
    """What a pass leaves behind for the methods to read."""

    inputs: Inputs
    embedded: Tensor  # (batch, tokens, features)
    activations: tuple[Tensor, ...]  # A: one (batch, tokens, filters) a convolution
    gradients: tuple[Tensor, ...]  # g = ∂z/∂A, shaped as A
    logit: Tensor  # z: (batch,)
    probability: Tensor  # (batch,)

    @property
    def slope(self) -> Tensor:
        """∂p/∂z: (batch, 1)."""
        return (self.probability * (1.0 - self.probability))[:, None]


def trace(network: Network, inputs: Inputs) -> Trace:
    """Run a network forward, and back from the logit to its convolutions."""
    import tensorflow as tf

    embedded = network.embed(inputs)
    activations = network.convolve(embedded)
    logit, gradients = back(network, activations, inputs)
    return Trace(inputs, embedded, activations, gradients, logit, tf.sigmoid(logit))


def back(
    network: Network, activations: tuple[Tensor, ...], inputs: Inputs
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return z: (batch,) and ∂z/∂A, shaped as the activations."""
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(activations)
        logit = network.logit(activations, inputs)
    return logit, tuple(tape.gradient(logit, activations))


def forward(network: Network, inputs: Inputs) -> Tensor:
    """Return z: (batch,), nothing else."""
    return network.logit(network.convolve(network.embed(inputs)), inputs)
