"""How good probabilities are, from labels that lie in the database; NumPy alone."""

import numpy as np
from numpy.typing import NDArray

from iyu.worker.training.metrics import calibration_error

Floats = NDArray[np.float64]


def label_figures(labels: NDArray[np.int8], probabilities: Floats) -> dict[str, float | None]:
    """Return the figures of labels and probabilities of positive, both (reviews,).

    The AUC is None where all labels are the same.
    """
    clipped = np.clip(probabilities, 1e-7, 1 - 1e-7)
    loss = -np.where(labels == 1, np.log(clipped), np.log(1 - clipped))
    return {
        "reviews": len(labels),
        "auc": area_under_roc(labels, probabilities),
        "accuracy": float(np.mean((probabilities >= 0.5) == labels)),
        "log_loss": float(loss.mean()),
        "calibration_error": calibration_error(labels, probabilities.astype(np.float32)),
    }


def area_under_roc(labels: NDArray[np.int8], probabilities: Floats) -> float | None:
    """Return the area under the ROC curve, from ranks; equal probabilities share their ranks.

    Source: Hanley and McNeil 1982, The Meaning and Use of the Area under an ROC Curve.
    """
    positive = int(labels.sum())
    pairs = positive * (len(labels) - positive)
    if not pairs:
        return None
    _, place, times = np.unique(probabilities, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(times) - (times - 1) / 2)[place]
    return float((ranks[labels == 1].sum() - positive * (positive + 1) / 2) / pairs)
