"""A model, split where an explanation has to look.

    inputs ─embed─▶ embedded ─convolve─▶ activations ─logit─▶ z ─sigmoid─▶ probability
    (batch, tokens)  (batch, tokens,      one (batch, tokens,  (batch,)
                      features)            filters) a layer

`convolve` is affine in `embedded` and ends before any non-linearity, so that what a token gives to
an activation can be told apart exactly, by kernel slot.
"""

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Tensor: TypeAlias = Any
#: What an encoder makes of a chunk, by name; `ids` (batch, tokens) int32 is always there.
Inputs: TypeAlias = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Convolution:
    """One convolution over tokens, 'same' padding, before its activation."""

    name: str
    kernel: Tensor  # (slots, features, filters)
    bias: Tensor  # (filters,)

    @property
    def slots(self) -> int:
        """Width of the kernel in tokens."""
        return int(self.kernel.shape[0])

    def offset(self, slot: int) -> int:
        """Return which token a slot sees from position t: t + offset. Kernel 2 looks right."""
        return slot - (self.slots - 1) // 2


class Network(Protocol):
    """What every architecture offers; see the module's picture."""

    convolutions: tuple[Convolution, ...]

    def signature(self) -> dict[str, Any]:
        """Return a tf.TensorSpec for each input, batch free."""

    def embed(self, inputs: Inputs) -> Tensor:
        """Return embedded: (batch, tokens, features) float32."""

    def convolve(self, embedded: Tensor) -> tuple[Tensor, ...]:
        """Return activations: one (batch, tokens, filters) a convolution."""

    def logit(self, activations: tuple[Tensor, ...], inputs: Inputs) -> Tensor:
        """Return z: (batch,) float32, toward positive."""

    def keep(self, inputs: Inputs, kept: Tensor) -> Inputs:
        """Return the inputs of the same reviews with only the kept tokens, closed up.

        kept: (batch, tokens) bool.
        """
