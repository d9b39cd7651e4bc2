"""The heat of reviews, always through the view `token_heat`."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from iyu.console.web.queries.answer import Answer, Record, run

_COLUMNS = 'position, surface, pos, start, "end", heat, is_function'


def heat_of_reviews(connection: Connection, method: str, reviews: Sequence[Record]) -> Answer:
    """Return the tokens of a page of reviews in order, looked up by source and ids."""
    by_source = sorted(reviews, key=itemgetter("source"))
    answers = [
        _heat_of_source(connection, method, source, [row["review_id"] for row in group])
        for source, group in groupby(by_source, key=itemgetter("source"))
    ]
    if not answers:
        return Answer((), (), "")
    rows = [row for answer in answers for row in answer.rows]
    return Answer(answers[0].columns, rows, ";\n".join(answer.sql for answer in answers))


def _heat_of_source(connection: Connection, method: str, source: str, ids: Sequence[str]) -> Answer:
    names = {f"id_{number}": review_id for number, review_id in enumerate(ids)}
    return run(
        connection,
        f"""
        SELECT source, review_id, {_COLUMNS}
        FROM token_heat
        WHERE method = :method AND source = :source
          AND review_id IN ({", ".join(f":{name}" for name in names)})
        ORDER BY review_id, position
        """,
        method=method,
        source=source,
        **names,
    )


def heat_of_review(connection: Connection, source: str, review_id: str) -> Answer:
    """Return the tokens of one review by every method of the model that is shown."""
    return run(
        connection,
        f"""
        SELECT method, {_COLUMNS}
        FROM token_heat
        WHERE source = :source AND review_id = :review_id
        ORDER BY method, position
        """,
        source=source,
        review_id=review_id,
    )


def by_review(answer: Answer) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return the tokens of each review."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in answer.rows:
        found.setdefault((row["source"], row["review_id"]), []).append(row)
    return found
