"""Many rows in one statement hold the values that single inserts would have stored."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.tables import chunks, explanations, keyword_days, resubmissions, reviews
from iyu.schemas.sql.upsert import insert_new, insert_or_upsert, upsert

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


ODD = {
    "tab\there": "줄\n바꿈 \\ 끝",
    "back\\slash": "\\N",
    "return\rhere": "\\.",
    "plain": "{}\t[]",
}


@pytest.mark.parametrize("there", [(), ("plain",)])
def test_rows_arrive_as_they_are_whichever_way_they_go(engine: Engine, there: tuple[str, ...]):
    """By COPY where no key is there, and where one is, by the long way; nothing in between."""
    with writing(engine) as connection:
        for key in there:
            upsert(connection, reviews, review_rows([key], ["old"]))
        added = insert_new(connection, reviews, "review_id", review_rows([*ODD], [*ODD.values()]))
    assert added == ODD.keys() - set(there)
    with reading(engine) as connection:
        stored = connection.execute(select(reviews.c.review_id, reviews.c.text)).all()
    assert dict(map(tuple, stored)) == ODD | dict.fromkeys(there, "old")


def test_a_key_that_nobody_expected_is_updated(engine: Engine):
    """An explanation whose review was deleted by hand, and which is written again."""
    values = {"source": "s", "model_version": "v", "layers": "l", "target": "logit",
              "tokens": "[]", "pad_heat": 0.0, "tags": [["NNG", "JX+VCP"], []],
              "starts": [[0, 2], []], "ends": [[1, 3], []], "heats": [[0.1234, None], []],
              "addresses": [None, [1]], "review_id": ["1", "2"], "method": "gradcam"}  # fmt: skip
    where = "excluded.text_hash <> explanations.text_hash"
    for digest in ("a", "b"):
        with writing(engine) as connection:
            rows = values | {"text_hash": [digest] * 2}
            insert_or_upsert(connection, explanations, rows, update_where=where)
    e = explanations.c
    with reading(engine) as connection:
        query = select(e.text_hash, e.starts, e.ends, e.tags, e.heats, e.addresses)
        assert connection.execute(query.order_by(e.review_id)).all() == [
            ("b", [0, 2], [1, 3], ["NNG", "JX+VCP"], [0.1234, None], None),
            ("b", [], [], [], [], [1]),
        ]


def test_a_value_that_the_database_rejects_is_its_error_and_nothing_stays(engine: Engine):
    with pytest.raises(IntegrityError):
        write_with_a_null(engine)
    with reading(engine) as connection:
        assert connection.execute(text("SELECT * FROM privacy")).all() == []
        assert connection.execute(select(reviews)).all() == []


def write_with_a_null(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO privacy (id, min_reviews) VALUES (1, 1)"))
        insert_new(connection, reviews, "review_id", review_rows(["1", "2"], ["글", None]))


def review_rows(keys: list[str], texts: list[str | None]) -> dict[str, Any]:
    return {"source": "s", "review_id": keys, "text": texts, "text_hash": ["h"] * len(keys),
            "submitted_at": NOON, "batch_id": None}  # fmt: skip
