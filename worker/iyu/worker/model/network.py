"""A model, split where explanations read it.

    inputs ─embed─▶ embedded ─convolve─▶ activations ─logit─▶ z ─sigmoid─▶ probability
    (batch, tokens)  (batch, tokens,      one (batch, tokens,  (batch,)
       │              features)            filters) a layer     ▲
       └──────────────── wide: (batch, tokens), summed ─────────┘

`convolve` is affine in `embedded` and ends before any non-linearity, so that what a token gives to
an activation can be computed exactly, by kernel slot. Activation functions belong to `logit`.
`wide` is a linear branch beside the convolutions: it is its own exact explanation.
A network of several widths reads no padding: fewer columns of it give the same z.
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
    has_wide: bool  # whether there is a branch beside the convolutions
    is_rectified: bool  # whether activations go through a ReLU, and no padding is read
    is_fused: bool  # whether XLA makes its pass faster
    widths: tuple[int, ...]  # numbers of tokens worth compiling for; the last is the window

    def signature(self, tokens: int | None = None) -> dict[str, Any]:
        """Return a tf.TensorSpec for each input, batch free; tokens: one of the widths."""

    def embed(self, inputs: Inputs) -> Tensor:
        """Return embedded: (batch, tokens, features) float32."""

    def convolve(self, embedded: Tensor) -> tuple[Tensor, ...]:
        """Return activations: one (batch, tokens, filters) a convolution."""

    def wide(self, inputs: Inputs) -> Tensor:
        """Return what each token adds to z beside the convolutions: (batch, tokens) float32.

        Padding adds nothing. Called only on a network that `has_wide`.
        """

    def logit(self, activations: tuple[Tensor, ...], inputs: Inputs) -> Tensor:
        """Return z: (batch,) float32, toward positive; the sum of `wide` is in it."""

    def keep(self, inputs: Inputs, kept: Tensor) -> Inputs:
        """Return the inputs of the same reviews with only the kept tokens, closed up.

        kept: (batch, tokens) bool. Every input that holds something a token loses the others.
        """

    def mask(self, inputs: Inputs, kept: Tensor) -> Inputs:
        """Return the inputs of the same reviews with padding in place of the other tokens.

        kept: (batch, tokens) bool. Nothing moves.
        """


class RectifiedNetwork(Network, Protocol):
    """A network that `is_rectified`."""

    def channel_heat(
        self, activations: tuple[Tensor, ...], inputs: Inputs
    ) -> tuple[tuple[Tensor, ...], Tensor | None]:
        """Return Grad-CAM's heat by position of each convolution that is pooled, and of the gates.

        (batch, tokens) each; the gates' is None where there are none, and they come last.
        """

    def shortened(self, inputs: Inputs, embedded: Tensor, kept: Tensor, tokens: int) -> Tensor:
        """Return z of the same reviews with only the kept tokens, closed up: (batch,).

        embedded: of the whole reviews; kept: (batch, tokens) bool, at most `tokens` in a row.
        """


def narrow(inputs: Inputs, tokens: int) -> Inputs:
    """Return the last columns of each input; what is left out has to be padding."""
    return {name: value[:, -tokens:] for name, value in inputs.items()}


def close_up(kept: Tensor) -> Tensor:
    """Return the order in which kept tokens stand at the end, for `tf.gather(batch_dims=1)`.

    kept: (batch, tokens) bool. Returns (batch, tokens) int32, a permutation of each row.
    """
    import tensorflow as tf

    return tf.argsort(tf.cast(kept, tf.int32), axis=1, stable=True)
