"""The pictures of a training: loss and ROC, as PNG beside the artifact."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from iyu.worker.training.metrics import calibration_error


def plot_loss(history: Mapping[str, Sequence[float]], path: Path) -> None:
    """Draw training and validation loss over epochs."""
    figure, axes = _figure("Loss", "epoch", "binary cross-entropy (nats)")
    for name, values in history.items():
        axes.plot(range(1, len(values) + 1), values, marker="o", label=name)
    axes.legend()
    figure.savefig(path)


def plot_roc(
    curves: Mapping[str, tuple[NDArray[np.int8], NDArray[np.float32]]], path: Path
) -> None:
    """Draw a ROC curve for each named (labels, probabilities)."""
    from sklearn.metrics import roc_auc_score, roc_curve

    figure, axes = _figure("ROC", "false positive rate", "true positive rate")
    for name, (labels, probabilities) in curves.items():
        false, true, _ = roc_curve(labels, probabilities)
        axes.plot(false, true, label=f"{name}: AUC {roc_auc_score(labels, probabilities):.4f}")
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle="--")
    axes.legend(loc="lower right")
    figure.savefig(path)


def plot_reliability(
    curves: Mapping[str, tuple[NDArray[np.int8], NDArray[np.float32]]], path: Path, bins: int = 15
) -> None:
    """Draw how often reviews of about one probability are positive, for each named pair."""
    figure, axes = _figure("Reliability", "probability", "share of positive reviews")
    for name, (labels, probabilities) in curves.items():
        which = np.minimum((probabilities * bins).astype(int), bins - 1)
        filled = np.unique(which)
        axes.plot(
            [probabilities[which == b].mean() for b in filled],
            [labels[which == b].mean() for b in filled],
            marker="o",
            label=f"{name}: expected calibration error "
            f"{calibration_error(labels, probabilities, bins):.4f}",
        )
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle="--")
    axes.legend(loc="upper left")
    figure.savefig(path)


def _figure(title: str, x: str, y: str):  # type: ignore[no-untyped-def]
    from matplotlib.figure import Figure  # no pyplot: it would look for a screen

    figure = Figure(figsize=(6, 4.5), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    return figure, axes
