"""Daily sums of reviews: how many of a source came in on a day, and what each model said of them.

`review_days` sums the predictions of reviews' present texts. Reviews that several models have
scored count once under each, and once under ALL_MODELS, so that nobody has to guess how the
models overlap.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Double,
    Integer,
    MetaData,
    String,
    Table,
)

from iyu.schemas.sql.keyword_days import define_deltas
from iyu.schemas.sql.review_day import day_sql

#: What a row sums. Σp and Σp² give mean and spread of the probability.
SUMS: Final = (
    "reviews",
    "positive_reviews",
    "tokens",
    "unknown_tokens",
    "truncated_reviews",
    "probability",
    "probability_squared",
)
#: The model version of the row that counts each review once; its other sums are 0.
ALL_MODELS: Final = ""
FRACTIONS: Final = ("probability", "probability_squared")

_SAME_TEXT: Final = """p.source = r.source AND p.review_id = r.review_id
     AND p.text_hash = r.text_hash"""
_FROM_PREDICTIONS: Final = """
SELECT r.source, {day} AS day, p.model_version,
       COUNT(*) AS reviews, SUM(p.label) AS positive_reviews, SUM(p.token_count) AS tokens,
       SUM(p.unknown_count) AS unknown_tokens,
       SUM(CASE WHEN p.truncated THEN 1 ELSE 0 END) AS truncated_reviews,
       SUM(p.probability) AS probability, SUM(p.probability * p.probability) AS probability_squared
FROM reviews AS r
JOIN predictions AS p ON {same_text}
WHERE {chosen}
GROUP BY r.source, {day}, p.model_version
UNION ALL
SELECT r.source, {day}, '', COUNT(*), 0, 0, 0, 0, 0.0, 0.0
FROM reviews AS r
WHERE {chosen} AND EXISTS (
    SELECT 1 FROM predictions AS p WHERE {same_text}
)
GROUP BY r.source, {day}
"""
_OF_REVIEWS: Final = {
    "sqlite": "r.source = :source AND r.review_id IN (SELECT value FROM json_each(:review_ids))",
    "postgresql": "r.source = :source AND r.review_id IN "
    "(SELECT json_array_elements_text(CAST(:review_ids AS json)))",
}


def define(metadata: MetaData, row_id: Any) -> tuple[Table, Table, Table]:
    """Return the tables `review_days`, `day_deltas` and `days_to_recount`.

    `day_deltas` holds what a chunk adds to the daily sums until the worker's `add_to_keyword_days`
    adds it; `days_to_recount` the days on which a worker of an older version counted.
    """
    days = Table(
        "review_days",
        metadata,
        Column("source", String(100), primary_key=True),
        Column("day", Date, primary_key=True),
        Column("model_version", String(16), primary_key=True),
        *(Column(name, _type(name), nullable=False) for name in SUMS),
        sqlite_with_rowid=False,
    )
    deltas = define_deltas("day_deltas", metadata, row_id)
    stale = Table("days_to_recount", metadata, Column("day", Date, primary_key=True))
    return days, deltas, stale


def from_predictions(dialect: str, chosen: str = "TRUE") -> str:
    """Return the SELECT that computes `review_days`; chosen: a condition on `reviews AS r`."""
    return _FROM_PREDICTIONS.format(day=day_sql(dialect, "r"), same_text=_SAME_TEXT, chosen=chosen)


def days_of_reviews(dialect: str) -> str:
    """Return the SELECT of what :review_ids (JSON) of :source count for."""
    return from_predictions(dialect, _OF_REVIEWS[dialect])


def _type(name: str) -> Any:
    if name in FRACTIONS:
        return Double
    return BigInteger if name.endswith("tokens") else Integer
