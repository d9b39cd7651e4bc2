"""The methods side by side: what `iyu evaluate-explanations` prints and saves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.explain.methods.method import Method
from iyu.worker.explain.quality.faithfulness import Faithfulness, measure
from iyu.worker.explain.quality.sanity import DRAWS, against_random_weights
from iyu.worker.model.artifact import Artifact, untrained

MEASURES: Final = ("comprehensiveness", "sufficiency", "deletion", "insertion", "kendall")
#: The correlation with the heat of untrained networks, beside the measures.
RANDOM_WEIGHTS: Final = "random_weights"
#: Resamples of the reviews behind an interval.
RESAMPLES: Final = 2_000
SEED: Final = 0

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over reviews with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """One method in the table."""

    method: str
    measures: Mapping[str, Interval]  # by the names in MEASURES, and RANDOM_WEIGHTS
    milliseconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON holds it: {measure: [mean, low, high]}."""
        figures = {
            name: [round(x, 5) for x in (found.mean, found.low, found.high)]
            for name, found in self.measures.items()
        }
        return {"method": self.method, **figures, "milliseconds": round(self.milliseconds, 5)}


def compare(
    artifact: Artifact,
    inputs: Mapping[str, NDArray[Any]],
    methods: Sequence[Method],
    say: Progress = lambda _: None,
) -> list[Row]:
    """Measure methods on encoded reviews, and against networks of random weights."""
    say(f"{len(inputs['ids']):,} reviews, {len(methods)} methods")
    found = measure(artifact.network, inputs, methods)
    say(f"the same with {DRAWS} networks of random weights")
    unlearned = [untrained(artifact, seed) for seed in range(DRAWS)]
    rows = []
    for method, faithfulness in zip(methods, found, strict=True):
        correlations = against_random_weights(unlearned, inputs, method, faithfulness)
        rows.append(_row(faithfulness, correlations.mean(axis=0)))
    return rows


def _row(found: Faithfulness, correlation: NDArray[np.float64]) -> Row:
    measures = {name: interval(getattr(found, name)) for name in MEASURES}
    return Row(found.method, measures | {RANDOM_WEIGHTS: interval(correlation)}, found.milliseconds)


def interval(values: NDArray[np.float64]) -> Interval:
    """Return the mean over reviews that have a value, and its 95 % percentile interval.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, §13.3.
    """
    from scipy.stats import bootstrap

    there = values[~np.isnan(values)]
    if len(there) < 2:
        only = float(there.mean()) if len(there) else float("nan")
        return Interval(only, only, only)
    bounds = bootstrap(
        (there,), np.mean, n_resamples=RESAMPLES, batch=100, method="percentile", rng=SEED
    ).confidence_interval
    return Interval(float(there.mean()), float(bounds.low), float(bounds.high))
