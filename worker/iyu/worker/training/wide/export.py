"""The last step: calibrate, quantise, save, measure what was saved, and draw and describe it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iyu.schemas.contract.review import utc_now
from iyu.worker.explain.methods.method import WIDE
from iyu.worker.model import artifact
from iyu.worker.model.wide import SCOPE
from iyu.worker.model.wide_artifact import (
    SCOPE_DISCOUNT,
    SCOPE_GRAM_TURN,
    SCOPE_KERNEL,
    SCOPE_REACH,
    SCOPE_THRESHOLD,
    build,
    quantise,
)
from iyu.worker.text.vocabulary import Vocabulary
from iyu.worker.training.card import write_card
from iyu.worker.training.evaluation import library_versions, probabilities
from iyu.worker.training.metrics import Metrics, measure
from iyu.worker.training.plots import plot_loss, plot_reliability, plot_roc
from iyu.worker.training.wide.deep import gated, scope_of
from iyu.worker.training.wide.settings import Task
from iyu.worker.training.wide.stages import Arrays, Stages

#: Where the factor on the logit is looked for, and the constant.
_FACTORS = (0.2, 5.0)
_CONSTANTS = (-1.0, 1.0)
#: Lines of the log that the model card shows.
_LOGGED = 16


@dataclass(frozen=True, slots=True)
class Student:
    """What was learned."""

    weights: Arrays
    vocabulary: Vocabulary


def finish(student: Student, task: Task, stages: Stages) -> Metrics:
    """Save the artifact, its curves and its card; return the metrics of what was saved."""
    held = slice(task.data.held_out, None)
    labels = task.data.labels[held]
    factor, constant = calibrate(labels, student.weights["deep"] + student.weights["wide"])
    stages.say(f"calibration: logit × {factor:.3f} {constant:+.3f}")
    model = keras_model(student.weights, task.settings.length, factor, constant)
    tables = quantise(student.weights["embedding"], student.weights["grams"])
    tables |= scope_tables(student.weights)
    manifest = _manifest(task, stages, factor, constant)
    artifact.save(task.out, model, student.vocabulary, manifest, tables)
    found = probabilities(artifact.load(task.out), task.data.texts[held])
    metrics = measure(labels, found)
    artifact.add_metrics(task.out, "validation", metrics.to_dict())
    plot_loss({"training": student.weights["losses"].tolist()}, task.out / "loss.png")
    plot_roc({"validation": (labels, found)}, task.out / "roc.png")
    plot_reliability({"validation": (labels, found)}, task.out / "calibration.png")
    write_card(task.out)
    return metrics


def calibrate(labels: NDArray[np.int8], z: NDArray[np.float32]) -> tuple[float, float]:
    """Return a factor and a constant for logits, so that probabilities mean what they say.

    Source: Platt 1999, Probabilistic Outputs for Support Vector Machines, §2; Guo et al. 2017, On
    Calibration of Modern Neural Networks, §4.2.
    """
    from scipy.optimize import minimize

    sign, logits = 2.0 * labels - 1.0, z.astype(np.float64)
    found = minimize(
        lambda p: np.logaddexp(0, -sign * (p[0] * logits + p[1])).mean(),
        x0=(1.0, 0.0),
        bounds=(_FACTORS, _CONSTANTS),
    )
    factor, constant = found.x
    return float(factor), float(constant)


def keras_model(weights: Arrays, length: int, factor: float, constant: float = 0.0) -> Any:
    """Return the Keras model of a student's weights, its logit calibrated."""
    kernels = tuple(sorted(int(n[4:]) for n in weights if n.startswith("conv")))
    _, features, filters = weights[f"conv{kernels[0]}"].shape
    model = build(features, filters, kernels, weights["hidden"].shape[1], length)
    for kernel in kernels:
        model.get_layer(f"conv{kernel}").set_weights([weights[f"conv{kernel}"]])
    model.get_layer("hidden").set_weights([weights["hidden"], weights["hidden_bias"]])
    last = [weights["logit"] * factor, weights["logit_bias"] * factor + constant]
    model.get_layer("logit").set_weights(last)
    model.get_layer("scale").set_weights([np.full((1, 1), factor, np.float32)])
    return model


def scope_tables(weights: Arrays) -> dict[str, Any]:
    """Return the gates as an artifact keeps them."""
    scope = scope_of(weights)
    return {
        SCOPE_KERNEL: weights[gated("kernel")].astype(np.float32),
        SCOPE_THRESHOLD: scope.threshold.numpy(),
        SCOPE_REACH: scope.reach.numpy(),
        SCOPE_DISCOUNT: scope.discount.numpy(),
        SCOPE_GRAM_TURN: scope.gram_turn.numpy(),
    }


def _manifest(task: Task, stages: Stages, factor: float, constant: float) -> dict[str, Any]:
    s = task.settings
    return {
        "preset": "wide",
        "created_at": utc_now().isoformat(timespec="seconds"),
        "sequence_length": s.length,
        "padding": "front",
        "explained_layers": [f"conv{k}" for k in s.student.kernels] + [SCOPE, WIDE],
        "data": {
            "origin": task.data.origin,
            "fingerprint": task.data.fingerprint,
            "reviews": len(task.data),
            "rejected": task.data.rejected,
            "split": task.data.split,
            "unlabelled": {"origin": task.unlabelled_origin, "texts": len(task.unlabelled)},
        },
        "training": {
            "seed": task.seed,
            "command": task.command,
            "fingerprint": task.fingerprint,
            "logit_factor": round(factor, 4),
            "logit_constant": round(constant, 4),
            "seconds": dict(stages.seconds),
            "log": stages.log[-_LOGGED:],
        },
        "metrics": {},
        "libraries": library_versions(),
    }
