"""Comparisons of two models, kept for the page: figures, words, examples by key."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, func, insert, null, select

from iyu.console.analysis.model_comparison import Comparison, Flip
from iyu.console.analysis.stored_heat import HeatFilter
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import text_hash
from iyu.schemas.erasure.lock import lock_for_storing
from iyu.schemas.sql.clock import database_now
from iyu.schemas.sql.engine import writing
from iyu.schemas.sql.tables import (
    model_comparison_examples,
    model_comparisons,
    review_days,
    reviews,
)

#: `compared_source` where reviews of all sources were compared.
ALL_SOURCES: Final = ""


@dataclass(frozen=True, slots=True)
class Words:
    """The words that changed most, by one method."""

    method: str
    changes: list[dict[str, Any]] | None  # None: not both models have heat by it


def changed_words(
    engine: Engine, versions: Sequence[str], chosen: HeatFilter, sample: int | None, top: int
) -> list[dict[str, Any]] | None:
    """Return the words whose heat has changed most; None where not both have stored heat.

    It needs NumPy.
    """
    from iyu.console.analysis.keyword_report import KeywordOptions, keyword_report

    options = KeywordOptions(
        sample, seed=0, top=top, min_reviews=None, function_words=False, by_model=True
    )
    try:
        found = keyword_report(engine, chosen, options, versions)
    except InputError:
        return None
    changes: list[dict[str, Any]] = found.to_dict()["changes"]
    return changes


def store_comparison(engine: Engine, found: Comparison, words: Words, source: str | None) -> None:
    """Store a comparison in place of an earlier one of the same models and source.

    Its examples are stored by key, without their texts. Raises DatabaseUnavailable.
    """
    with writing(engine) as connection:
        _store(connection, found, words, source or ALL_SOURCES)


def _store(connection: Connection, found: Comparison, words: Words, source: str) -> None:
    examples = [*found.to_positive_examples, *found.to_negative_examples]
    for name in sorted({flip.source for flip in examples}):
        lock_for_storing(connection, name)  # none is erased until it is stored
    pair = {"model_a": found.a, "model_b": found.b, "compared_source": source}
    for table in (model_comparisons, model_comparison_examples):
        connection.execute(
            delete(table).where(*(table.c[name] == value for name, value in pair.items()))
        )
    connection.execute(
        insert(model_comparisons).values(
            **pair,
            made_at=database_now(connection),
            reviews=found.reviews,
            agreement=found.agreement,
            mean_difference=found.mean_difference,
            to_positive=found.to_positive,
            to_negative=found.to_negative,
            method=words.method,
            words=null() if words.changes is None else words.changes,
            scored_a=_scored(connection, found.a, source),
            scored_b=_scored(connection, found.b, source),
        )
    )
    rows = [pair | row for row in _present(connection, examples)]
    if rows:
        connection.execute(insert(model_comparison_examples), rows)


def _present(connection: Connection, examples: Sequence[Flip]) -> list[dict[str, Any]]:
    """Return rows of the examples whose texts still stand as they were compared."""
    rows = []
    ordered = sorted(examples, key=lambda flip: (flip.source, flip.review_id))
    for source, group in groupby(ordered, key=lambda flip: flip.source):
        flips = {flip.review_id: flip for flip in group}
        there = select(reviews.c.review_id, reviews.c.text_hash).where(
            reviews.c.source == source, reviews.c.review_id.in_(list(flips))
        )
        rows += [
            {
                "source": source,
                "review_id": review_id,
                "text_hash": digest,
                "probability_a": flips[review_id].a,
                "probability_b": flips[review_id].b,
            }
            for review_id, digest in connection.execute(there)
            if digest == text_hash(flips[review_id].text)
        ]
    return rows


def _scored(connection: Connection, version: str, source: str) -> int:
    """Count what a model has scored, by the daily sums: the page asks the same of them later."""
    query = select(func.coalesce(func.sum(review_days.c.reviews), 0)).where(
        review_days.c.model_version == version
    )
    if source != ALL_SOURCES:
        query = query.where(review_days.c.source == source)
    return int(connection.execute(query).scalar_one())
