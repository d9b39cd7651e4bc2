"""Many rows in one statement hold the values that single inserts would have stored."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select

from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.tables import chunks, keyword_days, resubmissions, reviews
from iyu.schemas.sql.upsert import insert_new, upsert

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SEOUL = timezone(timedelta(hours=9))
WEST = timezone(-timedelta(hours=5, minutes=30))
#: One moment in three zones, and a moment a microsecond later.
MOMENTS = [NOON, NOON.astimezone(SEOUL), NOON.astimezone(WEST), NOON + timedelta(microseconds=1)]
NAIVE = datetime(2026, 5, 1, 12)
IDS = [str(number) for number in range(len(MOMENTS))]


def columns(times: Any, **further: Any) -> dict[str, Any]:
    return {"source": "shop", "review_id": IDS, "submitted_at": times, **further}


def stored(engine: Engine, raw: str = "submitted_at") -> list[Any]:
    with reading(engine) as connection:
        query = f"SELECT {raw} FROM resubmissions ORDER BY review_id"
        return list(connection.exec_driver_sql(query).scalars())


def test_times_in_any_zone_are_stored_as_moments(engine: Engine):
    with writing(engine) as connection:
        upsert(connection, resubmissions, columns(MOMENTS))
    with reading(engine) as connection:
        query = select(resubmissions.c.submitted_at).order_by(resubmissions.c.review_id)
        assert list(connection.scalars(query)) == MOMENTS
        same = select(func.count()).where(resubmissions.c.submitted_at == NOON)
        assert connection.scalar(same) == 3


def test_times_are_stored_in_the_form_of_a_single_insert(engine: Engine):
    with writing(engine) as connection:
        upsert(connection, resubmissions, columns(MOMENTS))
    many = stored(engine)
    with writing(engine) as connection:
        connection.execute(resubmissions.delete())
        rows = zip(IDS, MOMENTS, strict=True)
        for key, moment in rows:
            row = {"source": "shop", "review_id": key, "submitted_at": moment}
            connection.execute(insert(resubmissions), row)
    assert stored(engine) == many


def test_a_time_that_may_be_missing_is_stored_as_null(engine: Engine):
    given = {
        "chunk_id": IDS, "source": "shop", "queue": "reviews.bulk", "review_count": 1,
        "state": "queued", "attempts": 0, "submitted_at": NOON,
        "published_at": [NOON.astimezone(SEOUL), None, NOON, None],
    }  # fmt: skip
    with writing(engine) as connection:
        upsert(connection, chunks, given)
        query = select(chunks.c.published_at).order_by(chunks.c.chunk_id)
        assert list(connection.scalars(query)) == [NOON, None, NOON, None]


@pytest.mark.parametrize("times", [NAIVE, [*MOMENTS[:-1], NAIVE]])
def test_a_time_without_its_zone_is_rejected(engine: Engine, times: Any):
    with writing(engine) as connection, pytest.raises(TypeError, match="zone"):
        upsert(connection, resubmissions, columns(times))
    with writing(engine) as connection, pytest.raises(TypeError, match="zone"):
        insert_new(connection, reviews, "review_id", columns(times, text="글", text_hash="a hash"))
    assert stored(engine) == []


def test_days_are_stored_as_days(engine: Engine):
    days = [NOON.date(), (NOON + timedelta(days=1)).date()]
    sums = dict.fromkeys(
        ("reviews", "occurrences", "positive_reviews", "positive_occurrences"), 1
    ) | dict.fromkeys(("heat", "positive_heat"), 0.5)
    given = (
        {"model_version": "v1", "method": "gradcam", "surface": "영화", "pos": "NNG"}
        | sums
        | {"source": "shop", "heat_squared": 0.5}
    )
    with writing(engine) as connection:
        upsert(connection, keyword_days, given | {"day": days})
        upsert(connection, keyword_days, given | {"day": ["2026-05-03"]})
        query = select(keyword_days.c.day).order_by(keyword_days.c.day)
        assert list(connection.scalars(query)) == [*days, NOON.date() + timedelta(days=2)]
