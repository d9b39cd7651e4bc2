"""Counts by day are those of the scores that the views show, whatever the daily sums can tell."""

from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text

from iyu.console.web.queries.answer import run
from iyu.console.web.queries.days import Period, count_days, count_models
from iyu.console.web.queries.words import rank_words
from iyu.console.web.read_session import Database
from iyu.schemas.sql.engine import writing
from iyu.schemas.sql.tables import days_to_recount, keyword_days, review_days
from iyu.worker.rows import write_chunk as store
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from tests.integration.test_keyword_days import MANIFEST, NOON, chunk, write

PERIOD = Period(date(2026, 11, 20), date(2026, 11, 30))


@pytest.fixture(autouse=True)
def models(engine: Engine) -> None:
    """Of three models two serve, the second since later; the third only rescores."""
    with writing(engine) as connection:
        for version in ("v1", "v2"):
            store.register_model(connection, version, MANIFEST)
        store.register_model(connection, "trial", MANIFEST, activate=False)


def assert_counted_as_shown(engine: Engine, source: str | None = None) -> None:
    add_all_deltas(engine)
    database = Database(engine.url.render_as_string(hide_password=False))
    try:
        with database.session() as connection:
            counted = count_days(connection, PERIOD, source).rows
            shown = run(
                connection,
                "SELECT source, submitted_at, label FROM review_scores",
            ).rows
    finally:
        database.close()
    days = Counter((str(row["submitted_at"].date()), row["source"]) for row in shown)
    positive = Counter(
        (str(row["submitted_at"].date()), row["source"]) for row in shown if row["label"]
    )
    assert days
    assert [tuple(row.values()) for row in counted] == [
        (*key, reviews, positive[key]) for key, reviews in sorted(days.items())
    ]


def texts(first: int, count: int) -> dict[str, str]:
    return {str(n): "0 1 3" if n % 2 else "2 5 9" for n in range(first, first + count)}


def test_a_day_on_which_models_took_turns(engine: Engine):
    write(engine, chunk(texts(0, 6)), "v1")
    write(engine, chunk(texts(4, 9), NOON + timedelta(hours=1)), "v2")
    write(engine, chunk(texts(0, 3)), "trial")
    assert_counted_as_shown(engine)


def test_a_database_that_was_scored_again(engine: Engine):
    for version in ("v1", "v2"):
        for day in range(3):
            write(engine, chunk(texts(10 * day, 6), NOON + timedelta(days=day)), version)
    assert_counted_as_shown(engine)
    assert_counted_as_shown(engine, "shop")


def test_texts_that_change_move_to_their_day(engine: Engine):
    for version in ("v1", "v2", "trial"):
        write(engine, chunk(texts(0, 6)), version)
    write(engine, chunk({"1": "3 5", "2": "0"}, NOON + timedelta(days=1)), "v2")
    write(engine, chunk({"2": "2 5 9"}, NOON + timedelta(days=2)), "v1")
    assert_counted_as_shown(engine)


def test_a_day_that_is_to_be_counted_anew_is_counted_from_the_scores(engine: Engine):
    write(engine, chunk(texts(0, 6)), "v2")
    add_all_deltas(engine)
    with writing(engine) as connection:
        connection.execute(review_days.delete())
        connection.execute(keyword_days.update().values(source=""))
        connection.execute(days_to_recount.insert().values(day=NOON.date()))
        connection.execute(text("DELETE FROM privacy"))
    assert_counted_as_shown(engine)
    database = Database(engine.url.render_as_string(hide_password=False))
    with database.session() as connection:
        assert rank_words(connection, "gradcam", PERIOD, "shop", 1).rows
    database.close()


def test_models_are_counted_apart(engine: Engine):
    write(engine, chunk(texts(0, 6)), "v1")
    write(engine, chunk(texts(0, 4)), "trial")
    add_all_deltas(engine)
    database = Database(engine.url.render_as_string(hide_password=False))
    with database.session() as connection:
        found = {row["model_version"]: row["reviews"] for row in count_models(connection).rows}
    database.close()
    assert found == {"v1": 6, "trial": 4}
