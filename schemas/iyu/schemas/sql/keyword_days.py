"""Daily sums of words, so that a query over a week of a million reviews takes a moment.

`keyword_days` sums the explanations of reviews' present texts by source, under the day of each
review (`review_day`). Particles, endings and punctuation are left out: they are half of all tokens,
and seldom a reason. Numbers and addresses are left out because they may be a person's.
"""

from typing import Any, Final

from sqlalchemy import Column, Date, Double, Integer, LargeBinary, MetaData, String, Table, Text

from iyu.schemas.sql.review_day import day_sql
from iyu.schemas.sql.views import IS_COUNTED, WORD_TOKENS

#: What a row sums: over all its reviews, and over those that were scored positive.
SUMS: Final = (
    "reviews",
    "occurrences",
    "heat",
    "positive_reviews",
    "positive_occurrences",
    "positive_heat",
    "heat_squared",  # of a review's heat of the word: what the spread between reviews comes from
)
#: The source of what a worker of an older version counted: its day is in `days_to_recount`.
UNKNOWN_SOURCE: Final = ""

_WORDS_IN_REVIEWS: Final = """
    SELECT t.model_version, t.method, {day} AS day, t.surface, t.pos, t.source, p.label,
           COUNT(*) AS occurrences, SUM(t.heat) AS heat
    FROM ({tokens}) AS t
    JOIN reviews AS r
      ON r.source = t.source AND r.review_id = t.review_id AND r.text_hash = t.text_hash
    JOIN predictions AS p
      ON p.source = t.source AND p.review_id = t.review_id
     AND p.model_version = t.model_version AND p.text_hash = t.text_hash
    WHERE {is_counted} {chosen}
    GROUP BY t.source, t.review_id, t.model_version, t.method, {day}, t.surface, t.pos, p.label
"""

_FROM_EXPLANATIONS: Final = """
SELECT model_version, method, day, surface, pos, source,
       COUNT(*) AS reviews, SUM(occurrences) AS occurrences, SUM(heat) AS heat,
       SUM(label) AS positive_reviews, SUM(label * occurrences) AS positive_occurrences,
       SUM(label * heat) AS positive_heat, SUM(heat * heat) AS heat_squared
FROM ({words}) AS a_word_in_a_review
GROUP BY model_version, method, day, surface, pos, source
"""

_OF_REVIEWS: Final = """
SELECT model_version, method, day, label, surface, pos,
       COUNT(*) AS reviews, SUM(occurrences) AS occurrences, SUM(heat) AS heat,
       SUM(heat * heat) AS heat_squared
FROM ({words}) AS a_word_in_a_review
GROUP BY model_version, method, day, label, surface, pos
"""
# A set to join with: of two thousand parameters PostgreSQL sorts the list again for every row.
_CHOSEN: Final = {
    "sqlite": """
      AND t.source = :source AND t.review_id IN (SELECT value FROM json_each(:review_ids))
""",
    "postgresql": """
      AND t.source = :source
      AND t.review_id IN (SELECT json_array_elements_text(CAST(:review_ids AS json)))
""",
}


def define(metadata: MetaData, row_id: Any) -> tuple[Table, Table, Table]:
    """Return the tables `keyword_days`, `keyword_totals` and `keyword_deltas`.

    `keyword_totals` has the reviews of each word over all days, so that the views can hide rare
    ones. `keyword_deltas` is where workers from before revision 0012 write what a chunk adds.
    """
    days = Table(
        "keyword_days",
        metadata,
        Column("model_version", String(16), primary_key=True),
        Column("method", String(32), primary_key=True),
        Column("day", Date, primary_key=True),
        Column("surface", Text, primary_key=True),
        Column("pos", String(100), primary_key=True),
        # Last: the sources of a word on a day lie together, and a sum over them is one step.
        Column("source", String(100), primary_key=True),
        *(Column(name, _type(name), nullable=False) for name in SUMS),
        # Small rows, always found by their key: row ids and a second tree would only cost.
        sqlite_with_rowid=False,
    )
    totals = Table(
        "keyword_totals",
        metadata,
        Column("model_version", String(16), primary_key=True),
        Column("method", String(32), primary_key=True),
        Column("surface", Text, primary_key=True),
        Column("pos", String(100), primary_key=True),
        Column("reviews", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    return days, totals, define_deltas("keyword_deltas", metadata, row_id)


def define_deltas(name: str, metadata: MetaData, row_id: Any) -> Table:
    """Return a table of what is still to be added to daily sums."""
    return Table(
        name,
        metadata,
        Column("id", row_id, primary_key=True, autoincrement=True),
        Column("payload", LargeBinary, nullable=False),
        # An id must never be reused: a worker reads the payload before it locks the row.
        sqlite_autoincrement=True,
    )


def from_explanations(dialect: str, chosen: str = "") -> str:
    """Return the SELECT that computes `keyword_days` from explanations; slow.

    chosen: a condition on `reviews AS r`; without one all are read.
    """
    words = _words(dialect, f"AND {chosen}" if chosen else "")
    return _FROM_EXPLANATIONS.format(words=words)


def of_reviews(dialect: str) -> str:
    """Return the SELECT of what :review_ids (JSON) of :source count for, their labels apart."""
    return _OF_REVIEWS.format(words=_words(dialect, _CHOSEN[dialect]))


def _words(dialect: str, chosen: str = "") -> str:
    return _WORDS_IN_REVIEWS.format(
        day=day_sql(dialect, "r"), tokens=WORD_TOKENS[dialect], is_counted=IS_COUNTED, chosen=chosen
    )


def _type(name: str) -> Any:
    return Double if "heat" in name else Integer
