"""Models: the list with their figures, one model's card, and two side by side."""

import shlex
from importlib.resources import files
from typing import Any, Final

from iyu.console.web.filters import Filters
from iyu.console.web.pages.page import Page, Site
from iyu.console.web.pages.review import NOT_FOUND
from iyu.console.web.queries.answer import Answer, Record
from iyu.console.web.queries.comparisons import (
    read_changed_words,
    read_comparison,
    read_flips,
)
from iyu.console.web.queries.days import count_models, list_sources
from iyu.console.web.queries.models import list_models
from iyu.schemas.contract.errors import InputError

#: Of a manifest's metrics, those that are listed.
METRICS: Final = ("auc", "accuracy", "log_loss", "calibration_error")


def models(site: Site, _filters: Filters) -> Page:
    """Return the list of models."""
    found = site.database.ask(list_models)
    counts = site.database.ask(count_models)
    by_version = {row["model_version"]: row["reviews"] for row in counts.rows}
    rows = [_summary(row, by_version) for row in found.rows]
    return Page(
        "models.html",
        {"models": found.with_rows([_flat(row) for row in rows]), "counts": counts},
        {"models": rows, "counted": counts.is_complete},
    )


def model(site: Site, filters: Filters) -> Page:
    """Return one model's card. Raises InputError where none is named."""
    if not filters.a:
        raise InputError("a model is named by a, its version; choose one from the page of models")
    found = site.database.ask(list_models)
    one = found.with_rows([row for row in found.rows if row["model_version"] == filters.a])
    if not one.rows:
        return Page("no_model.html", {"model": one}, {}, status=NOT_FOUND)
    manifest = one.rows[0]["manifest"]
    return Page(
        "model.html",
        {"model": one},
        {
            "model": one.rows[0],
            "manifest": manifest,
            "metrics": _metrics(manifest),
            "card": _card(one.rows[0]["model"], one.rows[0]["model_version"]),
        },
    )


def comparison(site: Site, filters: Filters) -> Page:
    """Return two models side by side, as they were compared by `iyu models compare`.

    Raises InputError where two are not named.
    """
    listed = site.database.ask(list_models)
    versions = [row["model_version"] for row in listed.rows]
    a, b = filters.a or (versions[1:2] or [None])[0], filters.b or (versions[:1] or [None])[0]
    with site.database.session() as connection:
        sources = list_sources(connection)
    context: dict[str, Any] = {"models": listed.rows, "a": a, "b": b, "sources": sources}
    if len(versions) < 2 and not (filters.a and filters.b):
        return Page("comparison.html", {"agreement": listed.with_rows([])}, context)
    if a not in versions or b not in versions or a == b:
        raise InputError(
            "two different models are compared; choose a and b from the page of models"
        )
    found = site.database.ask(read_comparison, a, b, filters.source)
    context |= {"stored": _only(found), "command": _command(a, b, filters.source)}
    if not found.rows:
        context |= {"reverse": bool(site.database.ask(read_comparison, b, a, filters.source).rows)}
    tables = {
        "agreement": found,
        "flips": site.database.ask(read_flips, a, b, filters.source),
        "words": site.database.ask(read_changed_words, a, b, filters.source),
    }
    return Page("comparison.html", tables, context)


def _only(answer: Answer) -> Record | None:
    return answer.rows[0] if answer.rows else None


def _command(a: str, b: str, source: str | None) -> str:
    """Return the command that makes a comparison, as a shell takes it."""
    return shlex.join(["iyu", "models", "compare", a, b, *(["--source", source] if source else [])])


def _summary(row: Record, reviews: dict[str, int]) -> Record:
    metrics = row["manifest"].get("metrics", {})
    return row | {
        "reviews": reviews.get(row["model_version"], 0),
        "test": metrics.get("test") or metrics.get("validation") or {},
    }


def _flat(row: Record) -> Record:
    """Return a model's row for a table: its figures in columns of their own."""
    kept = {name: row[name] for name in ("model_version", "model", "created_at", "activated_at")}
    return kept | {"reviews": row["reviews"]} | {name: row["test"].get(name) for name in METRICS}


def _metrics(manifest: Record) -> list[Record]:
    return [
        {"data": figures.get("origin", name), "reviews": figures.get("reviews")}
        | {metric: figures.get(metric) for metric in METRICS}
        for name, figures in manifest.get("metrics", {}).items()
    ]


def _card(name: str, version: str) -> str | None:
    """Return the card of a model that ships, if it is this very version."""
    file = files("iyu.worker").joinpath("artifacts", name, "card.md")
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return text if version in text.partition("\n")[0] else None
