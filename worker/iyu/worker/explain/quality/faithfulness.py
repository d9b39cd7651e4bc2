"""Whether heatmaps say what the model does: measures that need no label and no taste."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.explain.faithfulness_in_pass import places, worth
from iyu.worker.explain.methods.method import Method
from iyu.worker.explain.quality.deletion_curves import area, forward_kept
from iyu.worker.explain.trace import forward, trace
from iyu.worker.model.network import Inputs, Network, Tensor

Floats = NDArray[np.float64]
Chunk = dict[str, NDArray[Any]]

CHUNK: Final = 256


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """One method on a set of reviews; a measure has one value a review, NaN where it has none."""

    method: str
    heat: NDArray[np.float32]  # (reviews, tokens)
    comprehensiveness: Floats  # p(x) − p(without the top fifth): higher is better
    sufficiency: Floats  # p(x) − p(the top fifth alone): lower is better
    deletion: Floats  # mean p while tokens go, the weightiest first: lower is better
    insertion: Floats  # mean p while tokens come, the weightiest first: higher is better
    kendall: Floats  # τ-b against leaving one token out, −1 … 1: higher is better
    milliseconds: float  # a review, its probability included, in chunks; of the median chunk


def measure(
    network: Network, inputs: Mapping[str, NDArray[Any]], methods: Sequence[Method]
) -> list[Faithfulness]:
    """Measure methods on encoded reviews."""
    judge = _Judge(network)
    chunks = chunked(inputs)
    left_out = np.concatenate([judge.leave_one_out(chunk).numpy() for chunk in chunks])
    return [_measure(judge, chunks, left_out, method) for method in methods]


def chunked(inputs: Mapping[str, NDArray[Any]]) -> list[Chunk]:
    """Cut encoded reviews into chunks."""
    return [
        {name: value[start : start + CHUNK] for name, value in inputs.items()}
        for start in range(0, len(inputs["ids"]), CHUNK)
    ]


def heat_pass(network: Network, method: Method) -> Callable[[Chunk], tuple[Tensor, Tensor]]:
    """Return the compiled pass from inputs to heat (batch, tokens) and probability (batch,)."""
    import tensorflow as tf

    def run(inputs: Inputs) -> tuple[Tensor, Tensor]:
        passed = trace(network, inputs)
        return method.attribute(network, passed), passed.probability

    # One concrete function: a method's pass is another function, and TensorFlow would warn of that.
    compiled = tf.function(run, autograph=False).get_concrete_function(network.signature())

    def run_compiled(chunk: Chunk) -> tuple[Tensor, Tensor]:
        heat, probability = compiled({name: tf.constant(v) for name, v in chunk.items()})
        return heat, probability

    return run_compiled


def agreement(one: Floats, other: Floats, word: NDArray[np.bool_]) -> Floats:
    """Return Kendall's τ-b between two heatmaps of each review, over its words: (reviews,).

    NaN where a review has one word, or where all its words weigh the same.
    Source: Kendall 1945, The Treatment of Ties in Ranking Problems.
    """
    from scipy.stats import kendalltau

    return np.array(
        [
            kendalltau(a[w], b[w]).statistic if w.sum() > 1 else np.nan
            for a, b, w in zip(one, other, word, strict=True)
        ]
    )


class _Judge:
    """The passes that judge any heatmap of a network, compiled once."""

    def __init__(self, network: Network) -> None:
        import tensorflow as tf

        self.network = network
        signature = network.signature()
        heat = tf.TensorSpec(signature["ids"].shape, tf.float32)
        self.leave_one_out = tf.function(
            self._leave_one_out, input_signature=[signature], autograph=False
        )
        self.judge = tf.function(self._judge, input_signature=[signature, heat], autograph=False)

    def _leave_one_out(self, inputs: Inputs) -> Tensor:
        """Return z(x) − z(x with token t taken out and the gap closed): (batch, tokens)."""
        import tensorflow as tf

        others = tf.unstack(~tf.eye(inputs["ids"].shape[1], dtype=tf.bool)[:, tf.newaxis])
        without = forward_kept(self.network, inputs, others)
        return forward(self.network, inputs)[:, tf.newaxis] - without

    def _judge(self, inputs: Inputs, heat: Tensor) -> tuple[Tensor, ...]:
        """Return comprehensiveness, sufficiency, deletion and insertion: (batch,) each."""
        import tensorflow as tf

        passed = trace(self.network, inputs)
        toward = tf.where(passed.logit > 0, 1.0, -1.0)[:, tf.newaxis]
        word = inputs["ids"] != 0
        place = places(word, heat * toward)
        steps = range(heat.shape[1] + 1)
        going = forward_kept(self.network, inputs, [word & (place >= s) for s in steps])
        coming = forward_kept(self.network, inputs, [word & (place < s) for s in steps])
        words = tf.reduce_sum(tf.cast(word, tf.int32), axis=1)
        return (
            *worth(self.network, passed, [heat])[0],
            area(tf.sigmoid(toward * going), words),
            area(tf.sigmoid(toward * coming), words),
        )


def _measure(
    judge: _Judge, chunks: Sequence[Chunk], left_out: Floats, method: Method
) -> Faithfulness:
    explain = heat_pass(judge.network, method)
    explain(chunks[0])  # the first call compiles
    heats, judged, taken = [], [], []
    for chunk in chunks:
        start = time.perf_counter()
        heat = explain(chunk)[0].numpy()
        taken.append((time.perf_counter() - start) / len(heat))
        heats.append(heat)
        judged.append(np.stack([part.numpy() for part in judge.judge(chunk, heat)]))
    heat = np.concatenate(heats)
    word = np.concatenate([chunk["ids"] for chunk in chunks]) != 0
    comprehensiveness, sufficiency, deletion, insertion = np.concatenate(judged, axis=1)
    return Faithfulness(
        method.key,
        heat,
        comprehensiveness.astype(np.float64),
        sufficiency.astype(np.float64),
        deletion.astype(np.float64),
        insertion.astype(np.float64),
        agreement(heat, left_out, word),
        float(np.median(taken)) * 1e3,
    )
