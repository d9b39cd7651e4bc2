"""Heatmaps of old reviews deleted, in small steps, while workers run; texts and scores stay."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, delete, func, select, tuple_

from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.tables import explanations, reviews

#: Reviews of a transaction: a few hundredths of a second, for which a worker may have to wait.
REVIEWS_AT_ONCE: Final = 1_000
_R: Final = reviews.c
#: The order of the index by time; the key makes it an order of rows.
_ORDER: Final = (_R.submitted_at, _R.source, _R.review_id)


def count_older(engine: Engine, before: datetime) -> int:
    """Return how many reviews are older, with or without a heatmap. Raises DatabaseUnavailable."""
    with reading(engine) as connection:
        query = select(func.count()).select_from(reviews).where(_R.submitted_at < before)
        return int(connection.execute(query).scalar_one())


def prune_heatmaps(
    engine: Engine,
    before: datetime,
    on_progress: Callable[[int], None] = lambda _reviews: None,
    at_once: int = REVIEWS_AT_ONCE,
) -> int:
    """Delete the heatmaps of texts that came in before a time; return how many.

    on_progress: gets the reviews that were looked at. The daily sums of words stay.

    Raises DatabaseUnavailable: what is deleted stays so, the same call goes on.
    """
    last: Row[*tuple[Any, ...]] | None = None
    seen = deleted = 0
    while keys := _read_step(engine, before, last, at_once):
        last = keys[-1]
        for source, group in groupby(sorted(keys, key=_key), key=attrgetter("source")):
            with writing(engine) as connection:
                ids = [key.review_id for key in group]
                deleted += _delete(connection, source, ids, before)
        seen += len(keys)
        on_progress(seen)
    return deleted


def _key(row: Row[*tuple[Any, ...]]) -> tuple[str, str]:
    return row.source, row.review_id


def _read_step(
    engine: Engine, before: datetime, last: Row[*tuple[Any, ...]] | None, at_once: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    query = select(*_ORDER).where(_R.submitted_at < before).order_by(*_ORDER).limit(at_once)
    if last is not None:
        query = query.where(tuple_(*_ORDER) > tuple_(*last))
    with reading(engine) as connection:
        return connection.execute(query).all()


def _delete(connection: Connection, source: str, ids: Sequence[str], before: datetime) -> int:
    # Reviews are locked first, and in their order, as workers do: neither waits for the other in
    # a circle, and a text that was replaced meanwhile keeps its new heatmap.
    locked = (
        select(_R.review_id)
        .where(_R.source == source, _R.review_id.in_(ids), _R.submitted_at < before)
        .order_by(_R.review_id)
        .with_for_update()
    )
    old = connection.scalars(locked).all()
    e = explanations.c
    gone = delete(explanations).where(e.source == source, e.review_id.in_(old))
    return int(connection.execute(gone).rowcount)
