"""A model's probabilities on labelled reviews, in this process."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from iyu.worker.explain.explainer import Explainer
from iyu.worker.model.artifact import Artifact
from iyu.worker.text.morphemes import Analyzer

CHUNK = 512


def probabilities(artifact: Artifact, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the probability of positive for texts that passed the entrance: (texts,)."""
    parts = list(_chunks(artifact, texts))
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def _chunks(artifact: Artifact, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
    analyzer, explainer = Analyzer(), Explainer(artifact.network, ())
    for first in range(0, len(texts), CHUNK):
        cut = analyzer.analyze(texts[first : first + CHUNK])
        yield explainer.explain(artifact.encoder.encode(cut).inputs).probability
