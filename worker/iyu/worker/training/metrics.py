"""How good a model's probabilities are."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from iyu.schemas.contract.errors import InputError


@dataclass(frozen=True, slots=True)
class Metrics:
    """Quality on one labelled set."""

    reviews: int
    auc: float  # area under the ROC curve
    accuracy: float  # at a threshold of 0.5
    log_loss: float  # nats
    calibration_error: float  # expected, fifteen equal-width bins

    def to_dict(self) -> dict[str, float]:
        """Return the figures by name, as a manifest keeps them."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


def measure(labels: NDArray[np.int8], probabilities: NDArray[np.float32]) -> Metrics:
    """Compare probabilities (reviews,) with labels (reviews,).

    Raises InputError where only one class is there: an AUC needs both.
    """
    from sklearn.metrics import log_loss, roc_auc_score

    if len(set(labels.tolist())) < 2:
        raise InputError("the labels are all of one class; measuring needs both")
    return Metrics(
        reviews=len(labels),
        auc=float(roc_auc_score(labels, probabilities)),
        accuracy=float(np.mean((probabilities >= 0.5) == labels)),
        log_loss=float(log_loss(labels, np.clip(probabilities.astype(float), 1e-7, 1 - 1e-7))),
        calibration_error=calibration_error(labels, probabilities),
    )


def calibration_error(
    labels: NDArray[np.int8], probabilities: NDArray[np.float32], bins: int = 15
) -> float:
    """Return the expected calibration error over equal-width bins.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, §2.
    """
    which = np.minimum((probabilities * bins).astype(int), bins - 1)
    count = np.bincount(which, minlength=bins)
    gap = np.abs(
        np.bincount(which, probabilities, minlength=bins)
        - np.bincount(which, labels.astype(float), minlength=bins)
    )
    return float(gap[count > 0].sum() / len(labels))
