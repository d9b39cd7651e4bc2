"""A model on labelled reviews: its probabilities, its test figures, the libraries behind it."""

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.explain.explainer import Explainer
from iyu.worker.model.artifact import Artifact, add_metrics, load
from iyu.worker.text.morphemes import Analyzer
from iyu.worker.training.card import CARD_FILE, write_card
from iyu.worker.training.data import LabelledReviews
from iyu.worker.training.metrics import Metrics, measure
from iyu.worker.training.plots import plot_reliability, plot_roc

#: Reviews in one pass.
CHUNK: Final = 512
#: Libraries that shape a model, and are named in its manifest.
_LIBRARIES: Final = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "konlpy", "mecab-ko")


def probabilities(artifact: Artifact, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the probability of positive for admitted texts: (texts,)."""
    parts = list(_chunks(artifact, texts))
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def add_test_report(folder: Path, data: LabelledReviews) -> Metrics:
    """Measure an artifact, put the figures into its manifest, and draw its ROC curve."""
    found = probabilities(load(folder), data.texts)
    metrics = measure(data.labels, found)
    named = {"origin": data.origin, "fingerprint": data.fingerprint}
    add_metrics(folder, "test", metrics.to_dict() | named)
    plot_roc({data.origin: (data.labels, found)}, folder / "roc_test.png")
    plot_reliability({data.origin: (data.labels, found)}, folder / "calibration_test.png")
    if (folder / CARD_FILE).exists():
        write_card(folder)
    return metrics


def library_versions() -> dict[str, str]:
    """Return name and version of Python and of the libraries that shape a model."""
    found = {"python": python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _chunks(artifact: Artifact, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
    analyzer, explainer = Analyzer(), Explainer(artifact.network, ())
    for first in range(0, len(texts), CHUNK):
        cut = analyzer.analyze(texts[first : first + CHUNK])
        yield explainer.explain(artifact.encoder.encode(cut).inputs).probability
