"""Rare words: what few reviews hold may name a person, so the views of words hide it."""

from typing import Final

from sqlalchemy import Connection, text

from iyu.schemas.sql.tables import keyword_totals, privacy
from iyu.schemas.sql.upsert import upsert

_RECOUNT: Final = text("""
INSERT INTO keyword_totals (model_version, method, surface, pos, reviews)
SELECT model_version, method, surface, pos, SUM(reviews) FROM keyword_days
GROUP BY model_version, method, surface, pos HAVING SUM(reviews) <> 0
""")
#: Nobody adds to either while they are read and written anew; readers go on.
_LOCK: Final = text("LOCK TABLE keyword_days, keyword_totals IN SHARE ROW EXCLUSIVE MODE")


def hide_rare_words(connection: Connection, min_reviews: int) -> None:
    """Let the views show words that at least so many reviews hold, and count these reviews anew.

    They need counting where a worker from before `keyword_totals` added to the daily sums.
    """
    upsert(connection, privacy, {"id": [1], "min_reviews": min_reviews})
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    connection.execute(keyword_totals.delete())
    connection.execute(_RECOUNT)
