"""Probability and heatmaps of a chunk from one compiled pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.explain.method import Method
from worker.explain.trace import trace
from worker.explain.worth import worth
from worker.model.network import Inputs, Network, Tensor

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heatmap:
    """One method's explanation of a chunk."""

    heat: Floats  # (batch, tokens), raw and signed, padding included
    comprehensiveness: Floats  # (batch,)
    sufficiency: Floats  # (batch,)


@dataclass(frozen=True, slots=True)
class Explained:
    """A chunk's scores, and why."""

    logit: Floats  # (batch,)
    probability: Floats  # (batch,) of positive
    heatmaps: tuple[Heatmap, ...]  # one a method, in the methods' order


class Explainer:
    """A network and some methods, compiled once for every batch size."""

    def __init__(self, network: Network, methods: Sequence[Method]) -> None:
        import tensorflow as tf

        self.methods = tuple(methods)
        self.network = network
        # A fixed signature with a free batch: sizes change, nothing is traced again.
        self._pass = tf.function(self._run, input_signature=[network.signature()])

    def explain(self, inputs: dict[str, NDArray[Any]]) -> Explained:
        """Score and explain a chunk of encoded reviews."""
        logit, probability, heatmaps = self._pass(inputs)
        return Explained(
            logit.numpy(),
            probability.numpy(),
            tuple(Heatmap(*(part.numpy() for part in heatmap)) for heatmap in heatmaps),
        )

    def _run(self, inputs: Inputs) -> tuple[Tensor, Tensor, list[tuple[Tensor, ...]]]:
        passed = trace(self.network, inputs)
        heatmaps = []
        for method in self.methods:
            heat = method.heat(self.network, passed)
            heatmaps.append((heat, *worth(self.network, inputs, passed.logit, heat)))
        return passed.logit, passed.probability, heatmaps
