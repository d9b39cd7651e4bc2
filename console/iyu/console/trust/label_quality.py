"""How good each model is on labels that came later, in all and by week."""

from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from iyu.console.analysis.label_figures import label_figures


def quality_in_all(
    connection: Connection, source: str | None = None, model_version: str | None = None
) -> list[dict[str, Any]]:
    """Return each model's figures on all labels of its reviews' present texts."""
    where, values = _chosen(source, model_version)
    query = f"SELECT model_version, model, label, probability FROM labelled_scores {where}"
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for row in connection.execute(text(query), values):
        found.setdefault((row.model_version, row.model), []).append((row.label, row.probability))
    return [
        {"model_version": version, "model": model, **_figures(rows)}
        for (version, model), rows in sorted(found.items())
    ]


def quality_by_week(
    connection: Connection, source: str | None = None, model_version: str | None = None
) -> list[dict[str, Any]]:
    """Return the rows of the view `model_quality`, the latest week first."""
    where, values = _chosen(source, model_version)
    query = f"SELECT * FROM model_quality {where} ORDER BY week DESC, model_version, source"
    return [
        {name: _plain(value) for name, value in row.items()}
        for row in connection.execute(text(query), values).mappings()
    ]


def _chosen(source: str | None, model_version: str | None) -> tuple[str, dict[str, str]]:
    given = {"source": source, "model_version": model_version}
    values = {name: value for name, value in given.items() if value is not None}
    where = " AND ".join(f"{name} = :{name}" for name in values)
    return f"WHERE {where}" if where else "", values


def _figures(rows: list[tuple[int, float]]) -> dict[str, float | None]:
    labels, probabilities = zip(*rows, strict=True)
    return label_figures(np.array(labels, np.int8), np.array(probabilities))


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | None):
        return value
    return str(value) if hasattr(value, "isoformat") else float(value)  # Decimal
