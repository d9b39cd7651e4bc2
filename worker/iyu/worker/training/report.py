"""A trained artifact on reviews it has not seen, written down beside it."""

from pathlib import Path

from iyu.worker.model.artifact import add_metrics, load
from iyu.worker.training.card import CARD_FILE, write_card
from iyu.worker.training.data import LabelledReviews
from iyu.worker.training.evaluation import probabilities
from iyu.worker.training.metrics import Metrics, measure
from iyu.worker.training.plots import plot_reliability, plot_roc


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
