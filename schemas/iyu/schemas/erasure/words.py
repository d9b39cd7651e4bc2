"""Words and scores of erased reviews, taken back from the daily sums.

What counts for a review is what the sums would count if they were computed anew: scores and
explanations of its present text. It is written as one more delta with the sign −1, so it counts
exactly once even where the review's own delta was not added yet.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, insert, text

from iyu.schemas.sql.keyword_days import of_reviews
from iyu.schemas.sql.review_days import FRACTIONS, SUMS, days_of_reviews
from iyu.schemas.sql.tables import day_deltas


def take_back_words(connection: Connection, source: str, review_ids: Sequence[str]) -> None:
    """Write the delta that takes these reviews out; call it before their rows are deleted."""
    of = {"source": source, "review_ids": orjson.dumps(list(review_ids)).decode()}
    parts = {"words": _word_groups(connection, of), "reviews": _review_rows(connection, of)}
    if any(parts.values()):
        connection.execute(insert(day_deltas).values(payload=orjson.dumps(parts)))


def _word_groups(connection: Connection, of: dict[str, Any]) -> list[list[Any]]:
    groups: dict[tuple[str, str, str, int], list[Any]] = defaultdict(list)
    for row in connection.execute(text(of_reviews(connection.dialect.name)), of):
        group = row.model_version, row.method, str(row.day), int(row.label)
        word = f"{row.surface}\t{row.pos}"
        # PostgreSQL sums integers as decimals.
        figures = int(row.reviews), int(row.occurrences), float(row.heat), float(row.heat_squared)
        groups[group].append((word, *figures))
    return [[of["source"], *group, -1, *_columns(rows)] for group, rows in sorted(groups.items())]


def _review_rows(connection: Connection, of: dict[str, Any]) -> list[list[Any]]:
    found = connection.execute(text(days_of_reviews(connection.dialect.name)), of).mappings()
    return [
        [row["source"], str(row["day"]), row["model_version"], *_taken_back(row)] for row in found
    ]


def _taken_back(row: Any) -> list[Any]:
    return [-float(row[name]) if name in FRACTIONS else -int(row[name]) for name in SUMS]


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Return the words in one text, and of each its sums."""
    words, *figures = zip(*rows, strict=True)
    return ["\n".join(words), *map(list, figures)]
