"""How faithful heatmaps are to the model, method by method, with random heat as the control."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from iyu.producer.readers.files import read_rows
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import Review, admit
from iyu.worker.explain.methods.registry import METHODS, choose
from iyu.worker.explain.quality.comparison import MEASURES, RANDOM_WEIGHTS, Interval, Row, compare
from iyu.worker.model.artifact import load
from iyu.worker.text.morphemes import Analyzer

#: Which way is better, by the name of a measure.
_BETTER = {"comprehensiveness": "↑", "sufficiency": "↓", "deletion": "↓", "insertion": "↑"}


def read_texts(path: Path, text_column: str | None, reviews: int, seed: int) -> list[str]:
    """Return texts that can be scored: `reviews` of them drawn at random, or all for 0.

    Raises InputError.
    """
    texts = [
        verdict.text
        for row in read_rows(path, text_column)
        if isinstance(row, tuple) and isinstance(verdict := admit("1", row[1]), Review)
    ]
    if not texts:
        raise InputError(f"{path} holds no review that can be scored; is it the right column?")
    if 0 < reviews < len(texts):
        return random.Random(seed).sample(texts, reviews)  # noqa: S311 - a sample, no secret
    return texts


def faithfulness_report(
    model: str, methods: Sequence[str] | None, texts: Sequence[str], say: Callable[[str], None]
) -> tuple[dict[str, Any], list[Row]]:
    """Return the report as JSON holds it, and its rows.

    Raises ArtifactError, SettingsError.
    """
    chosen = choose(methods or list(METHODS))
    artifact = load(model)
    inputs = artifact.encoder.encode(Analyzer().analyze(texts)).inputs
    rows = compare(artifact, inputs, chosen, say)
    report = {
        "model": artifact.name,
        "model_version": artifact.model_version,
        "reviews": len(texts),
        "interval": "95 % percentile bootstrap over reviews",
        "methods": [row.to_dict() for row in rows],
    }
    return report, rows


def columns() -> list[str]:
    """Return the headings of the figures, with which way is better."""
    names = [f"{name} {_BETTER.get(name, '')}".strip() for name in MEASURES]
    return [*names, "random weights"]


def figures(row: Row) -> list[Interval]:
    """Return the figures of a method, in the order of the headings."""
    return [row.measures[name] for name in (*MEASURES, RANDOM_WEIGHTS)]
