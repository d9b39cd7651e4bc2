"""Sums of a worker from before revision 0012: right over all sources, recounted by source."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, insert, select, text
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.console.operations.recount_days import days_to_recount, recount_days
from iyu.schemas.contract.errors import DatabaseUnusable
from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.tables import (
    day_deltas,
    explanations,
    keyword_days,
    keyword_deltas,
    review_days,
)
from iyu.worker.rows import write_chunk as store
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from tests.harness.daily_sums import stored_reviews, stored_words
from tests.integration.test_keyword_days import MANIFEST, NOON, check, chunk, write

#: How a worker of revision 0010 adds to the sums.
OLD_UPSERT = """
INSERT INTO keyword_days (model_version, method, day, surface, pos, reviews, occurrences, heat,
                          positive_reviews, positive_occurrences, positive_heat)
VALUES ('v1', 'gradcam', '2026-11-23', '영화', 'NNG', 1, 1, 0.5, 1, 1, 0.5)
ON CONFLICT (model_version, method, day, surface, pos)
DO UPDATE SET reviews = keyword_days.reviews + excluded.reviews
"""


@pytest.fixture(autouse=True)
def models(engine: Engine) -> None:
    with writing(engine) as connection:
        store.register_model(connection, "v1", MANIFEST)


def make_older(engine: Engine) -> None:
    """Turn the deltas that wait into those of an older worker."""
    with writing(engine) as connection:
        for payload in list(connection.scalars(select(day_deltas.c.payload))):
            groups = [[*group[1:-1]] for group in orjson.loads(payload)["words"]]
            connection.execute(insert(keyword_deltas).values(payload=orjson.dumps(groups)))
        connection.execute(day_deltas.delete())


def over_all_sources(engine: Engine) -> list[tuple[Any, ...]]:
    columns = "day, surface, reviews, occurrences, total_heat, positive_reviews"
    query = f"SELECT {columns} FROM keyword_trend ORDER BY day, surface"
    with reading(engine) as connection:
        connection.execute(text("SELECT 1"))
        return [tuple(row) for row in connection.execute(text(query))]


def count_anew(engine: Engine) -> int:
    return len(list(recount_days(engine, days_to_recount(engine))))


def test_an_older_workers_sums_are_right_at_once_and_by_source_after_a_recount(engine: Engine):
    for day in range(3):
        for source in ("shop", "app"):
            given = {f"{day}-{n}": "0 1 3" for n in range(4)}
            write(engine, chunk(given, NOON + timedelta(days=day), source))
    make_older(engine)
    add_all_deltas(engine)
    assert {key[5] for key in stored_words(engine)} == {""}
    before = over_all_sources(engine)
    assert before
    assert count_anew(engine) == 3
    assert over_all_sources(engine) == before
    check(engine)
    assert count_anew(engine) == 0


def test_what_waits_to_be_added_is_counted_once(engine: Engine):
    write(engine, chunk({"1": "0 1"}))
    make_older(engine)
    add_all_deltas(engine)
    days = days_to_recount(engine)
    write(engine, chunk({"2": "0 3"}))
    write(engine, chunk({"1": "3 5"}, NOON + timedelta(days=1)))
    assert len(list(recount_days(engine, days))) == len(days)
    check(engine)


def test_a_day_whose_reviews_are_wrong_is_found(engine: Engine):
    """An older worker writes no delta for reviews without a word."""
    write(engine, chunk({"1": "4 6"}))
    add_all_deltas(engine)
    with writing(engine) as connection:
        connection.execute(review_days.delete())
    assert count_anew(engine) == 1
    check(engine)
    assert len(stored_reviews(engine)) == 2, "of the model, and of all"


def test_words_whose_heatmaps_were_deleted_stay(engine: Engine):
    write(engine, chunk({"1": "0 1 3", "2": "0 1 3", "3": "0 1 3"}))
    make_older(engine)
    add_all_deltas(engine)
    before = over_all_sources(engine)
    with writing(engine) as connection:
        connection.execute(explanations.delete().where(explanations.c.review_id == "1"))
    assert count_anew(engine) == 1
    assert over_all_sources(engine) == before
    assert sum(row[0] for row in stored_reviews(engine).values()) == 6


def test_the_sums_refuse_an_older_worker_and_it_goes_on(engine: Engine):
    """It logs a warning, and its deltas wait for a worker of today."""
    with pytest.raises(DatabaseUnusable), writing(engine) as connection:
        connection.execute(text(OLD_UPSERT))


def test_the_command_counts_what_is_marked(engine: Engine, database_url: str):
    write(engine, chunk({"1": "0 1 3"}))
    make_older(engine)
    done = CliRunner().invoke(app, ["db", "recount", "--database", database_url])
    assert (done.exit_code, done.stdout) == (0, "1 days counted anew\n")
    check(engine)


def test_the_migration_keeps_sums_over_all_sources(engine: Engine):
    """Rows from before are of no source until their day is counted."""
    write(engine, chunk({"1": "0 1 3", "2": "0 1 3", "3": "0 1"}))
    add_all_deltas(engine)
    before = over_all_sources(engine)
    with writing(engine) as connection:
        connection.execute(keyword_days.update().values(source=""))
    assert over_all_sources(engine) == before
