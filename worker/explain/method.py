"""What every attribution method offers."""

from typing import ClassVar, Protocol

from worker.explain.trace import Trace
from worker.model.network import Network, Tensor


class Method(Protocol):
    """An attribution method: signed evidence per token, positive toward the positive class."""

    name: ClassVar[str]
    target: ClassVar[str]  # what is explained: "logit" or "probability"

    def layers(self, network: Network) -> str:
        """Name the layers that are read, joined by +."""

    def heat(self, network: Network, trace: Trace) -> Tensor:
        """Return heat: (batch, tokens) float32, padding included."""


def all_convolutions(network: Network) -> str:
    """Return the names of a network's convolutions, joined by +."""
    return "+".join(convolution.name for convolution in network.convolutions)
