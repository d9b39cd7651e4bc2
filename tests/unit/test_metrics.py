import numpy as np
import pytest

from iyu.schemas.contract.errors import InputError
from iyu.worker.training.metrics import calibration_error, measure

LABELS = np.array([0, 0, 1, 1], np.int8)


def test_figures_equal_those_computed_by_hand():
    found = measure(LABELS, np.array([0.1, 0.6, 0.4, 0.9], np.float32))
    assert found.reviews == 4
    assert found.accuracy == 0.5
    assert found.auc == 0.75  # of four pairs one is in the wrong order


def test_calibration_error_equals_the_one_computed_by_hand():
    # Two bins of two: mean probability 0.25 against 0 positives, 0.75 against 2 of 2.
    probabilities = np.array([0.2, 0.3, 0.7, 0.8], np.float32)
    assert calibration_error(LABELS, probabilities, bins=2) == pytest.approx(0.25)


def test_perfectly_calibrated_certainty_has_no_error():
    assert calibration_error(LABELS, LABELS.astype(np.float32)) == 0.0


def test_one_class_alone_cannot_be_measured():
    with pytest.raises(InputError, match="both"):
        measure(np.ones(3, np.int8), np.full(3, 0.5, np.float32))
