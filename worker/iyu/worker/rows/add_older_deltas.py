"""Deltas of workers from before revision 0012, which know words alone and no sources.

They count under an unknown source, so that sums over all sources are right at once; what they
lack (source, heat squared, reviews) is counted anew by `iyu db recount`, for the day is marked.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select

from iyu.schemas.sql.keyword_days import UNKNOWN_SOURCE
from iyu.schemas.sql.tables import day_deltas, days_to_recount, keyword_deltas
from iyu.schemas.sql.upsert import insert_new


def convert_older_deltas(connection: Connection, ids: Sequence[int] | None = None) -> None:
    """Write older deltas as deltas of today, and mark their days; ids: which, None for all."""
    query = select(keyword_deltas).order_by(keyword_deltas.c.id).with_for_update()
    if ids is not None:
        query = query.where(keyword_deltas.c.id.in_(ids))
    found = connection.execute(query).all()
    if not found:
        return  # another worker was faster
    connection.execute(
        delete(keyword_deltas).where(keyword_deltas.c.id.in_([row.id for row in found]))
    )
    parts = [_with_source(group) for row in found for group in orjson.loads(row.payload)]
    mark_days(connection, {date.fromisoformat(part[3]) for part in parts})
    payload = orjson.dumps({"words": parts, "reviews": []})
    connection.execute(insert(day_deltas).values(payload=payload))


def mark_days(connection: Connection, days: set[date]) -> None:
    """Note that these days have to be counted anew."""
    insert_new(connection, days_to_recount, "day", {"day": [str(day) for day in sorted(days)]})


def _with_source(group: list[Any]) -> list[Any]:
    *key, words, reviews, occurrences, heat = group
    return [UNKNOWN_SOURCE, *key, words, reviews, occurrences, heat, [0.0] * len(heat)]
