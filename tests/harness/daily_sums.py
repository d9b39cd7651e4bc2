"""The daily sums as they are stored, and as SQL computes them from what is stored."""

import pytest
from sqlalchemy import Engine, text

from iyu.schemas.sql import keyword_days, review_days
from iyu.schemas.sql.engine import reading

Sums = dict[tuple[str, ...], tuple[float, ...]]

_WORD = ("model_version", "method", "day", "surface", "pos", "source")
_DAY = ("source", "day", "model_version")


def stored_words(engine: Engine) -> Sums:
    """Return `keyword_days` without its empty rows."""
    return _read(engine, _WORD, f"{_columns(_WORD, keyword_days.SUMS)} FROM keyword_days")


def computed_words(engine: Engine) -> Sums:
    """Return the same from the explanations."""
    query = keyword_days.from_explanations(engine.dialect.name)
    return _read(engine, _WORD, f"{_columns(_WORD, keyword_days.SUMS)} FROM ({query}) AS a")


def stored_reviews(engine: Engine) -> Sums:
    """Return `review_days` without its empty rows."""
    return _read(engine, _DAY, f"{_columns(_DAY, review_days.SUMS)} FROM review_days")


def computed_reviews(engine: Engine) -> Sums:
    """Return the same from the predictions."""
    query = review_days.from_predictions(engine.dialect.name)
    return _read(engine, _DAY, f"{_columns(_DAY, review_days.SUMS)} FROM ({query}) AS a")


def count_differences(stored: Sums, computed: Sums) -> int:
    """Return how many sums differ; those that are missing on one side are 0 there."""
    nothing = (0.0,) * len(next(iter((*stored.values(), *computed.values())), ()))
    return sum(
        stored.get(key, nothing) != pytest.approx(computed.get(key, nothing), rel=1e-6, abs=1e-6)
        for key in stored.keys() | computed.keys()
    )


def _columns(key: tuple[str, ...], sums: tuple[str, ...]) -> str:
    return ", ".join((*key, *sums))


def _read(engine: Engine, key: tuple[str, ...], query: str) -> Sums:
    with reading(engine) as connection:
        rows = connection.execute(text(f"SELECT {query} WHERE reviews <> 0")).all()
    return {tuple(map(str, row[: len(key)])): tuple(map(float, row[len(key) :])) for row in rows}
