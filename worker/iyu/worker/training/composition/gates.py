"""The convolution that negation and contrast are read from, before it learns from labels."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.network import Tensor
from iyu.worker.model.scope import KERNEL, REACH, STRENGTHS
from iyu.worker.model.wide_artifact import (
    SCOPE_DISCOUNT,
    SCOPE_GRAM_TURN,
    SCOPE_KERNEL,
    SCOPE_REACH,
    SCOPE_THRESHOLD,
)
from iyu.worker.training.wide.corpus import Corpus
from iyu.worker.training.wide.deep import gated
from iyu.worker.training.wide.optimiser import Adam, cosine
from iyu.worker.training.wide.stages import Arrays, Say

Floats = NDArray[np.float32]

_BATCH: Final = 1_024
_RATE: Final = 0.01
#: What an activation is multiplied with to be a logit: at 1 a mark is certain, and the gate open.
_SHARPNESS: Final = 4.0
#: Free parameters of the gates to begin with: reach 0.88, discount 0.3, n-grams turned by half.
_REACH, _DISCOUNT, _GRAM_TURN = 2.0, -1.05, 1.1
#: What hidden units first make of negated words, in parts of what they make of them as they stand.
_TURNED: Final = -0.5
_NEAR: Final = 1e-4  # to 0 and 1: what a learned parameter is taken for at most


def add_gates(student: Arrays, kernel: Floats) -> dict[str, NDArray[Any]]:
    """Return a student's weights with gates, which so far only damp what is negated."""
    hidden = student["hidden"]
    return {
        **student,
        "hidden": np.concatenate([hidden, _TURNED * hidden]),
        gated("kernel"): kernel,
        gated("threshold"): np.zeros(STRENGTHS, np.float32),
        gated("reach"): np.full((2, REACH), _REACH, np.float32),
        gated("discount"): np.array(_DISCOUNT, np.float32),
        gated("gram_turn"): np.array(_GRAM_TURN, np.float32),
    }


def take_gates(tables: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the gates of an artifact as those of a student: the free parameters behind them."""
    reach = np.clip(tables[SCOPE_REACH].astype(np.float64), _NEAR, 1 - _NEAR)
    turn = np.clip(tables[SCOPE_GRAM_TURN].astype(np.float64) / 2, _NEAR, 1 - _NEAR)
    discount = np.maximum(tables[SCOPE_DISCOUNT].astype(np.float64), _NEAR)
    free = {
        "kernel": tables[SCOPE_KERNEL],
        "threshold": tables[SCOPE_THRESHOLD],
        "reach": np.log(reach / (1 - reach)),
        "discount": np.log(np.expm1(discount)),
        "gram_turn": np.log(turn / (1 - turn)),
    }
    return {gated(name): np.asarray(value, np.float32) for name, value in free.items()}


def fit_kernel(
    embedding: Floats, corpus: Corpus, marks: Floats, steps: int, seed: int, say: Say
) -> Floats:
    """Return the convolution that finds the marks of the rules: (KERNEL, features, STRENGTHS).

    marks: (tokens, STRENGTHS) of the corpus. A logistic regression on three tokens, without a bias.
    """
    import tensorflow as tf

    window = _windows(corpus)
    draw = np.random.default_rng(seed)
    table = tf.constant(embedding)
    kernel = tf.Variable(tf.zeros((KERNEL * embedding.shape[1], STRENGTHS)))
    adam = Adam([kernel])

    def descend(rows: Tensor, wanted: Tensor, rate: Tensor, step: Tensor) -> Tensor:
        seen = tf.reduce_sum(tf.gather(table, rows), 2)  # (batch, KERNEL, features)
        seen *= tf.cast(rows[..., :1] > 0, tf.float32)
        with tf.GradientTape() as tape:
            z = _SHARPNESS * tf.matmul(tf.reshape(seen, (-1, kernel.shape[0])), kernel)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, z))
        adam.apply(tape.gradient(loss, [kernel]), rate, step)
        return loss

    rows, marked = tf.TensorSpec((None, KERNEL, None), tf.int32), tf.TensorSpec((None, 4))
    scalar = tf.TensorSpec((), tf.float32)
    step = tf.function(descend, input_signature=[rows, marked, scalar, scalar])
    there, loss = np.flatnonzero(marks.any(axis=1)), 0.0
    padded = np.concatenate([corpus.tokens, np.zeros_like(corpus.tokens[:1])])
    for done in range(1, steps + 1):
        half = draw.choice(there, _BATCH // 2) if len(there) else np.empty(0, np.int64)
        chosen = np.concatenate([half, draw.integers(len(marks), size=_BATCH // 2)])
        rate = np.float32(_RATE * cosine(done, steps))
        loss = float(step(padded[window[chosen]], marks[chosen], rate, np.float32(done)))
    say(f"marks, loss {loss:.4f}")
    kernels: Floats = kernel.numpy().reshape(KERNEL, -1, STRENGTHS)
    return kernels


def _windows(corpus: Corpus) -> NDArray[np.int64]:
    """Return places of each token's neighbours and its own: (tokens, KERNEL); −1 past the ends."""
    total = len(corpus.tokens)
    at = np.arange(total)
    of = np.repeat(np.arange(len(corpus)), corpus.counts)
    found = []
    for offset in range(-(KERNEL // 2), KERNEL // 2 + 1):
        other = np.clip(at + offset, 0, total - 1)
        found.append(np.where((at + offset == other) & (of[other] == of), other, -1))
    return np.stack(found, axis=1)
