"""Deltas into the daily sums of words and reviews: summed, added and deleted in one transaction.

So each counts exactly once, whichever worker adds it and whenever one dies.
"""

from collections.abc import Sequence
from typing import Final

import orjson
from sqlalchemy import Connection, Engine, delete, select

from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.tables import day_deltas, keyword_deltas
from iyu.worker.rows.add_older_deltas import convert_older_deltas
from iyu.worker.rows.add_reviews import ReviewSums, add_reviews, sum_reviews
from iyu.worker.rows.add_words import WordSums, add_totals, add_words, sum_words

#: Deltas in one transaction: enough that words repeat, few enough to hold no lock for long.
DELTAS_AT_ONCE: Final = 64


def add_deltas(engine: Engine, ids: Sequence[int]) -> bool:
    """Add deltas to the daily sums; False if another worker has added one of them.

    Raises DatabaseUnavailable: nothing was written.
    """
    with reading(engine) as connection:
        found = connection.scalars(
            select(day_deltas.c.payload).where(day_deltas.c.id.in_(ids))
        ).all()
    if len(found) != len(ids):
        return False
    with writing(engine) as connection:
        if _take(connection, ids):
            # Every worker goes through tables and rows in one order, so that two cannot deadlock.
            words, reviews = sum_payloads(found)
            add_words(connection, words)
            add_totals(connection, words)
            add_reviews(connection, reviews)
            return True
        connection.rollback()
        return False


def add_all_deltas(engine: Engine, at_once: int = DELTAS_AT_ONCE) -> int:
    """Add every delta there is, those of older workers too; return how many.

    Raises DatabaseUnavailable: what is left waits for the next time.
    """
    _convert_all(engine, at_once)
    added = 0
    while True:
        with reading(engine) as connection:
            query = select(day_deltas.c.id).order_by(day_deltas.c.id).limit(at_once)
            ids = connection.scalars(query).all()
        if not ids or not add_deltas(engine, ids):
            return added
        added += len(ids)


def sum_payloads(payloads: Sequence[bytes]) -> tuple[WordSums, ReviewSums]:
    """Sum what deltas hold of words and of reviews, in the order in which rows are locked."""
    parts = [orjson.loads(payload) for payload in payloads]
    words = sum_words(group for part in parts for group in part["words"])
    return words, sum_reviews(row for part in parts for row in part["reviews"])


def _take(connection: Connection, ids: Sequence[int]) -> bool:
    deleted = connection.execute(delete(day_deltas).where(day_deltas.c.id.in_(ids)))
    return bool(deleted.rowcount == len(ids))


def _convert_all(engine: Engine, at_once: int) -> None:
    while True:
        with reading(engine) as connection:
            query = select(keyword_deltas.c.id).order_by(keyword_deltas.c.id).limit(at_once)
            if not (ids := connection.scalars(query).all()):
                return
        with writing(engine) as connection:
            convert_older_deltas(connection, ids)
