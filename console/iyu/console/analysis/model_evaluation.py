"""A model's figures on labelled reviews: in this process, and from the stored rows."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from iyu.console.terminal.output import open_to_write
from iyu.schemas.contract.errors import InputError
from iyu.schemas.sql.engine import check, connected, reading
from iyu.schemas.sql.tables import predictions
from iyu.worker.model.artifact import load
from iyu.worker.training.data import LabelledReviews
from iyu.worker.training.evaluation import probabilities
from iyu.worker.training.metrics import measure

Probabilities = NDArray[np.float32]  # (reviews,)


def evaluate_in_process(
    model: str, reviews: LabelledReviews
) -> tuple[dict[str, Any], Probabilities]:
    """Return the figures by name, and the probabilities they come from."""
    artifact = load(model)
    found = probabilities(artifact, reviews.texts)
    report: dict[str, Any] = {
        "model": artifact.name,
        "model_version": artifact.model_version,
        "data": reviews.origin,
        "rejected": reviews.rejected,
    }
    return report | measure(reviews.labels, found).to_dict(), found


def compare_with_rows(
    address: str,
    source: str,
    reviews: LabelledReviews,
    found: Probabilities,
    report: dict[str, Any],
) -> dict[str, Any]:
    """Return the figures of the rows that this model stored, and how far they are from `found`.

    Raises InputError where a review has no row.
    """
    stored = _stored(address, source, report["model_version"])
    missing = [key for key in reviews.ids if key not in stored]
    if missing:
        raise InputError(
            f"{len(missing):,} reviews have no row of model {report['model_version']} under "
            f"source {source!r}, {missing[0]!r} for one; submit the file first, "
            "or name its --source and --id-column"
        )
    rows = np.array([stored[key] for key in reviews.ids])
    return measure(reviews.labels, rows).to_dict() | {
        "greatest_difference": float(np.abs(rows - found).max())
    }


def write_predictions(path: Path, reviews: LabelledReviews, found: Probabilities) -> None:
    """Write id, label and probability as CSV. Raises InputError."""
    with open_to_write(path) as file:
        writer = csv.writer(file)
        writer.writerow(("id", "label", "probability"))
        writer.writerows(zip(reviews.ids, reviews.labels.tolist(), found.tolist(), strict=True))


def _stored(address: str, source: str, model_version: str) -> dict[str, float]:
    query = select(predictions.c.review_id, predictions.c.probability).where(
        predictions.c.source == source, predictions.c.model_version == model_version
    )
    with connected(address) as engine:
        check(engine)
        with reading(engine) as connection:
            return {row.review_id: row.probability for row in connection.execute(query)}
