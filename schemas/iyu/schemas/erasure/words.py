"""Words of erased reviews, taken back from the daily sums.

What counts for a review is what `keyword_days` would count if it were computed anew: explanations
of its present text. It is written as one more delta with the sign −1, so it counts exactly once
even where the review's own delta was not added yet.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, insert, text

from iyu.schemas.sql.keyword_days import of_reviews
from iyu.schemas.sql.tables import keyword_deltas


def take_back_words(connection: Connection, source: str, review_ids: Sequence[str]) -> None:
    """Write the delta that takes these reviews out; call it before their rows are deleted."""
    query = text(of_reviews(connection.dialect.name))
    chosen = {"source": source, "review_ids": orjson.dumps(list(review_ids)).decode()}
    groups: dict[tuple[str, str, str, int], list[Any]] = defaultdict(list)
    for row in connection.execute(query, chosen):
        group = row.model_version, row.method, str(row.day), int(row.label)
        word = f"{row.surface}\t{row.pos}"
        # PostgreSQL sums integers as decimals.
        groups[group].append((word, int(row.reviews), int(row.occurrences), float(row.heat)))
    if groups:
        parts = [[*group, -1, *_columns(rows)] for group, rows in sorted(groups.items())]
        connection.execute(insert(keyword_deltas).values(payload=orjson.dumps(parts)))


def _columns(rows: Sequence[tuple[str, int, int, float]]) -> list[Any]:
    """Return the words in one text, and of each its reviews, occurrences and heat."""
    words, *figures = zip(*rows, strict=True)
    return ["\n".join(words), *map(list, figures)]
