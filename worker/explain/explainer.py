"""Probability and heatmaps of a chunk from one compiled pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.explain.integrated_gradients import blank
from worker.explain.method import Method
from worker.explain.trace import Trace, forward, trace
from worker.explain.worth import worth
from worker.model.network import Inputs, Network, Tensor

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heatmap:
    """One method's explanation of a chunk."""

    heat: Floats  # (batch, tokens), raw and signed, padding included
    comprehensiveness: Floats  # (batch,)
    sufficiency: Floats  # (batch,)
    #: (batch,) Σ heat − (z(x) − z(padding alone)), in logits; None unless the method promises 0.
    completeness_gap: Floats | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """A chunk's scores, and why."""

    logit: Floats  # (batch,)
    probability: Floats  # (batch,) of positive
    heatmaps: tuple[Heatmap, ...]  # one a method, in the methods' order


class Explainer:
    """A network and some methods, compiled once for every batch size."""

    def __init__(self, network: Network, methods: Sequence[Method]) -> None:
        """Prepare the pass; nothing is compiled before the first chunk.

        Raises SettingsError if a method asks for a layer that the network has not.
        """
        import tensorflow as tf

        self.methods = tuple(methods)
        self.layers = tuple(method.layers(network) for method in methods)
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
        heats = [method.attribute(self.network, passed) for method in self.methods]
        worths = worth(self.network, inputs, passed.logit, heats) if heats else []
        heatmaps = [
            (heat, *measured, *self._gap(method, passed, heat))
            for method, heat, measured in zip(self.methods, heats, worths, strict=True)
        ]
        return passed.logit, passed.probability, heatmaps

    def _gap(self, method: Method, passed: Trace, heat: Tensor) -> tuple[Tensor, ...]:
        import tensorflow as tf

        if not method.is_complete:
            return ()
        nothing = forward(self.network, blank(self.network, passed.inputs))
        return (tf.reduce_sum(heat, axis=1) - (passed.logit - nothing),)
