"""Probability and heatmaps of a chunk from one compiled pass."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.explain.faithfulness_in_pass import worth
from iyu.worker.explain.methods.integrated_gradients import blank
from iyu.worker.explain.methods.method import Method
from iyu.worker.explain.trace import Trace, forward, trace
from iyu.worker.model.network import Inputs, Network, Tensor, narrow

Floats = NDArray[np.float32]

#: Reviews of a fused pass. Always as many, filled up with empty ones: XLA compiles for one shape.
PIECE: Final = 64


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
    """A network and some methods, compiled once for every width."""

    def __init__(self, network: Network, methods: Sequence[Method]) -> None:
        """Prepare the pass; nothing is compiled before the first chunk.

        Raises SettingsError if a method asks for a layer that the network has not.
        """
        self.methods = tuple(methods)
        self.layers = tuple(method.layers(network) for method in methods)
        self.network = network
        narrows = all(method.any_width for method in methods)
        self.widths = network.widths if narrows else network.widths[-1:]
        self._passes: dict[int, Any] = {}

    def explain(self, inputs: dict[str, NDArray[Any]]) -> Explained:
        """Score and explain a chunk of encoded reviews; short ones go through narrower passes."""
        if not self.network.is_fused:
            return self._one_pass(inputs, self.widths[-1])
        words = (inputs["ids"] != 0).sum(axis=1)
        order = np.argsort(words, kind="stable")
        parts = []
        for rows in np.split(order, range(PIECE, len(order), PIECE)):
            width = self.widths[np.searchsorted(self.widths, words[rows[-1]])]
            piece = narrow({name: value[rows] for name, value in inputs.items()}, width)
            parts.append((rows, self._one_pass(piece, width)))
        return _joined(parts, inputs["ids"].shape)

    def warm_up(self) -> None:
        """Compile every pass now, rather than with the first reviews that need it."""
        for width in self.widths:
            signature = self.network.signature(width)
            self._one_pass(
                {
                    name: np.zeros([1, *spec.shape[1:]], spec.dtype.as_numpy_dtype)
                    for name, spec in signature.items()
                },
                width,
            )

    def _one_pass(self, inputs: dict[str, NDArray[Any]], width: int) -> Explained:
        import tensorflow as tf

        if width not in self._passes:
            self._passes[width] = self._compiled(width)
        reviews = len(inputs["ids"])
        if self.network.is_fused:
            inputs = {name: _filled(value) for name, value in inputs.items()}
        given = {name: tf.constant(value) for name, value in inputs.items()}
        logit, probability, heatmaps = self._passes[width](given)
        return Explained(
            logit.numpy()[:reviews],
            probability.numpy()[:reviews],
            tuple(Heatmap(*(part.numpy()[:reviews] for part in heatmap)) for heatmap in heatmaps),
        )

    def _compiled(self, width: int) -> Any:
        import tensorflow as tf

        fused = self.network.is_fused
        signature = {
            name: tf.TensorSpec([PIECE if fused else None, *spec.shape[1:]], spec.dtype)
            for name, spec in self.network.signature(width).items()
        }
        compiled = tf.function(self._run, jit_compile=fused, autograph=False)
        return compiled.get_concrete_function(signature)

    def _run(self, inputs: Inputs) -> tuple[Tensor, Tensor, list[tuple[Tensor, ...]]]:
        passed = trace(self.network, inputs)
        heats = [method.attribute(self.network, passed) for method in self.methods]
        worths = worth(self.network, passed, heats) if heats else []
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


def _filled(values: NDArray[Any]) -> NDArray[Any]:
    """Return PIECE rows: those given, and empty ones."""
    if len(values) == PIECE:
        return values
    whole = np.zeros((PIECE, *values.shape[1:]), values.dtype)
    whole[: len(values)] = values
    return whole


def _joined(parts: Sequence[tuple[NDArray[Any], Explained]], shape: tuple[int, ...]) -> Explained:
    """Put groups of reviews back in order; parts: (their rows, what was found)."""
    first = parts[0][1]

    def join(of: Callable[[Explained], Floats]) -> Floats:
        whole = np.zeros(shape[0], np.float32)
        for rows, found in parts:
            whole[rows] = of(found)
        return whole

    def heat(number: int) -> Floats:
        whole = np.zeros(shape, np.float32)  # what a pass did not see is padding
        for rows, found in parts:
            narrower = found.heatmaps[number].heat
            whole[rows, shape[1] - narrower.shape[1] :] = narrower
        return whole

    def heatmap(number: int) -> Heatmap:
        def part(name: str) -> Floats:
            return join(lambda found: getattr(found.heatmaps[number], name))

        is_complete = first.heatmaps[number].completeness_gap is not None
        gap = part("completeness_gap") if is_complete else None
        return Heatmap(heat(number), part("comprehensiveness"), part("sufficiency"), gap)

    return Explained(
        join(lambda found: found.logit),
        join(lambda found: found.probability),
        tuple(map(heatmap, range(len(first.heatmaps)))),
    )
