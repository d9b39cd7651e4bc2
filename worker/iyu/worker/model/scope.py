"""What turns words round: negation and contrast, by the tokens that cause it.

A convolution gives each token four strengths, 0 … 1. With them, c[t] says how far token t is
negated, and u[t] how much of it counts:

    c_d[t] = reach_d · negates[t ± d] · Π (1 − stops) of the tokens between
    c[t] = ½ (1 − Π_d (1 − 2 c_d[t]))          so that two negations undo each other
    u[t] = exp(−discount · Σ_{s > t} turns[s])

Everything is zero where an activation is zero or less: without negation and contrast c = 0, u = 1.
"""

from dataclasses import dataclass
from typing import Final

from iyu.worker.model.network import Tensor

#: Strengths of a token: it negates what stands before it, or after it; no negation reaches across
#: it; what stands before it counts less.
BEFORE, AFTER, STOPS, TURNS = range(4)
STRENGTHS: Final = 4
#: Tokens that the convolution sees.
KERNEL: Final = 3
#: Tokens that a negation reaches.
REACH: Final = 6
_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Scope:
    """What was learned beside the convolution."""

    threshold: Tensor  # (STRENGTHS,) what an activation has to exceed, 0 or more
    reach: Tensor  # (2, REACH) by distance, 0 … 1: of BEFORE and AFTER
    discount: Tensor  # () 0 or more
    gram_turn: Tensor  # () how much of its n-grams a negated token loses; above 1 it turns them


@dataclass(frozen=True, slots=True)
class Gates:
    """How far each token is negated, and how much of it counts."""

    negated: Tensor  # c: (batch, tokens), 0 … 1
    weight: Tensor  # u: (batch, tokens), 0 … 1
    by_distance: tuple[tuple[int, Tensor], ...]  # d and c_d: the cause stands at t + d
    turns: Tensor  # (batch, tokens)
    gram_turn: Tensor  # ()

    @property
    def passed(self) -> Tensor:
        """How much of a token counts as it stands: (batch, tokens)."""
        return self.weight * (1.0 - self.negated)

    @property
    def turned(self) -> Tensor:
        """How much of it counts as negated: (batch, tokens)."""
        return self.weight * self.negated

    @property
    def of_grams(self) -> Tensor:
        """What the weight of n-grams in a token is multiplied with: (batch, tokens)."""
        return self.weight * (1.0 - self.gram_turn * self.negated)


def read_gates(activations: Tensor, scope: Scope) -> Gates:
    """Return the gates, from the convolution's activations: (batch, tokens, STRENGTHS)."""
    import tensorflow as tf

    strengths = tf.tanh(tf.nn.relu(activations - scope.threshold))
    before, after, stops, turns = tf.unstack(strengths, axis=-1)
    by_distance = (
        *_reached(before, stops, 1, scope.reach[BEFORE]),
        *_reached(after, stops, -1, scope.reach[AFTER]),
    )
    kept = tf.ones_like(before)
    for _, part in by_distance:
        kept *= 1.0 - 2.0 * part
    negated, weight = (1.0 - kept) / 2.0, tf.exp(-scope.discount * _later(turns))
    return Gates(_apart(negated), _apart(weight), by_distance, turns, scope.gram_turn)


def cause_heat(gates: Gates, negation: Tensor, contrast: Tensor) -> Tensor:
    """Give what negation and contrast changed at each token to the tokens that caused it.

    negation, contrast: (batch, tokens), zero where there is none. Returns heat: (batch, tokens)
    with the same sum. Several causes share by their strength.
    """
    import tensorflow as tf

    total = tf.add_n([part for _, part in gates.by_distance])
    each = negation / tf.maximum(total, _TINY)
    heat = tf.add_n([shifted(each * part, -d) for d, part in gates.by_distance])
    part = contrast / tf.maximum(_later(gates.turns), _TINY)
    earlier = tf.matmul(part, _triangle(part))
    return heat + gates.turns * earlier


def shifted(values: Tensor, by: int) -> Tensor:
    """Return values[:, t + by], zero outside: (batch, tokens)."""
    import tensorflow as tf

    # Padded first: a row may have fewer tokens than it is moved by.
    if by > 0:
        return tf.pad(values, [[0, 0], [0, by]])[:, by:]
    return tf.pad(values, [[0, 0], [-by, 0]])[:, :by] if by else values


def _reached(negates: Tensor, stops: Tensor, way: int, reach: Tensor) -> list[tuple[int, Tensor]]:
    """Return d and c_d for each distance; way: 1 if the cause stands behind what it negates."""
    found, carried = [], shifted(negates, way)
    for distance in range(1, REACH + 1):
        found.append((way * distance, reach[distance - 1] * carried))
        carried = shifted(carried * (1.0 - stops), way)
    return found


def _later(turns: Tensor) -> Tensor:
    """Return Σ_{s > t} turns[s]: (batch, tokens)."""
    import tensorflow as tf

    return tf.matmul(turns, _triangle(turns), transpose_b=True)


def _apart(values: Tensor) -> Tensor:
    """Return the values, (batch, tokens), by a product with the identity.

    XLA fuses everything but products: without one it computes the gates anew for every filter that
    they gate, which takes twenty times as long.
    """
    import tensorflow as tf

    return tf.matmul(values, tf.eye(tf.shape(values)[1]))


def _triangle(values: Tensor) -> Tensor:
    """Return 1 above the diagonal: (tokens, tokens). XLA makes nothing fast of a cumulative sum."""
    import tensorflow as tf

    tokens = tf.shape(values)[1]
    ones = tf.ones((tokens, tokens))
    return ones - tf.linalg.band_part(ones, -1, 0)
