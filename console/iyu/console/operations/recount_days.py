"""Daily sums counted anew from what is stored, day by day, while workers run.

Needed where a worker from before the sums of today has counted: after an upgrade, and for as long
as older workers run. Each day is one transaction, so whoever stops it loses nothing.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, select, text

from iyu.schemas.sql import keyword_days, review_days, tables
from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.review_day import is_on_day
from iyu.worker.rows.add_older_deltas import convert_older_deltas, mark_days
from iyu.worker.rows.add_reviews import add_reviews
from iyu.worker.rows.add_to_keyword_days import add_all_deltas, sum_payloads
from iyu.worker.rows.add_words import add_totals, add_words

#: Nobody adds to the sums meanwhile; whoever reads goes on. In the order of everyone who writes.
_LOCK: Final = text(
    "LOCK TABLE keyword_deltas, day_deltas, keyword_days, keyword_totals, review_days "
    "IN SHARE ROW EXCLUSIVE MODE"
)
_WRONG_DAYS: Final = """
SELECT DISTINCT day FROM (
    SELECT day FROM (
        SELECT source, day, model_version, reviews FROM ({computed}) AS computed
        UNION ALL SELECT source, day, model_version, -reviews FROM review_days
    ) AS both_sides
    GROUP BY source, day, model_version HAVING SUM(reviews) <> 0
) AS wrong
"""
_HELD: Final = text(
    "SELECT model_version, method, SUM(reviews) FROM keyword_days WHERE day = :day "
    "GROUP BY model_version, method"
)
_TO_TOTALS: Final = """
INSERT INTO keyword_totals (model_version, method, surface, pos, reviews)
SELECT model_version, method, surface, pos, {sign}SUM(reviews) FROM keyword_days
WHERE day = :day GROUP BY model_version, method, surface, pos
ON CONFLICT (model_version, method, surface, pos)
DO UPDATE SET reviews = keyword_totals.reviews + excluded.reviews
"""
_WORDS: Final = ", ".join(
    ("model_version", "method", "day", "surface", "pos", "source", *keyword_days.SUMS)
)
_REVIEWS: Final = ", ".join(("source", "day", "model_version", *review_days.SUMS))


def days_to_recount(engine: Engine) -> list[date]:
    """Mark days whose reviews are counted wrong, and return all that are marked, newest first.

    Raises DatabaseUnavailable.
    """
    add_all_deltas(engine)
    query = _WRONG_DAYS.format(computed=review_days.from_predictions(engine.dialect.name))
    with reading(engine) as connection:
        wrong = {_as_day(day) for day in connection.scalars(text(query))}
    with writing(engine) as connection:
        mark_days(connection, wrong)
        marked = tables.days_to_recount.c.day
        return list(connection.scalars(select(marked).order_by(marked.desc())))


def recount_days(engine: Engine, days: list[date]) -> Iterator[date]:
    """Count each day anew and yield it.

    Raises DatabaseUnavailable: the days that were yielded are done.
    """
    for day in days:
        with writing(engine) as connection:
            _recount(connection, day)
        yield day


def _recount(connection: Connection, day: date) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    convert_older_deltas(connection)
    # What was stored and is not added yet would count twice.
    waiting = connection.execute(
        delete(tables.day_deltas).returning(tables.day_deltas.c.payload)
    ).scalars()
    words, reviews = sum_payloads(list(waiting))
    add_words(connection, words)
    add_totals(connection, words)
    add_reviews(connection, reviews)
    on_day = is_on_day(connection.dialect.name, "r", day)
    _recount_words(connection, day, on_day)
    connection.execute(delete(tables.review_days).where(tables.review_days.c.day == day))
    computed = review_days.from_predictions(connection.dialect.name, on_day)
    _insert(connection, "review_days", _REVIEWS, computed)
    marks = tables.days_to_recount
    connection.execute(delete(marks).where(marks.c.day == day))


def _recount_words(connection: Connection, day: date, on_day: str) -> None:
    """Replace a day's words, unless their heatmaps were deleted: then the old sums know more."""
    held = _held(connection, day)
    with connection.begin_nested() as savepoint:
        _add_to_totals(connection, day, "-")
        days = tables.keyword_days
        connection.execute(delete(days).where(days.c.day == day))
        computed = keyword_days.from_explanations(connection.dialect.name, on_day)
        _insert(connection, "keyword_days", _WORDS, computed)
        _add_to_totals(connection, day, "")
        totals = tables.keyword_totals
        connection.execute(delete(totals).where(totals.c.reviews == 0))
        counted = _held(connection, day)
        if any(counted.get(key, 0) < reviews for key, reviews in held.items()):
            savepoint.rollback()


def _held(connection: Connection, day: date) -> dict[tuple[str, str], int]:
    found = connection.execute(_HELD, _bound(connection, day))
    return {(version, method): int(reviews) for version, method, reviews in found}


def _add_to_totals(connection: Connection, day: date, sign: str) -> None:
    connection.execute(text(_TO_TOTALS.format(sign=sign)), _bound(connection, day))


def _insert(connection: Connection, table: str, columns: str, query: str) -> None:
    connection.execute(
        text(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM ({query}) AS computed")
    )


def _bound(connection: Connection, day: date) -> dict[str, Any]:
    return {"day": day if connection.dialect.name == "postgresql" else day.isoformat()}


def _as_day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
