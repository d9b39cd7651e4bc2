"""Predictions to rows: idempotent, and never an older text over a newer one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Table, select

from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Reason, Review
from iyu.schemas.ledger.dead_letters import bury_review
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.rare_words import hide_rare_words
from iyu.worker.rows import write_chunk as store
from iyu.worker.scoring import Prediction
from tests.harness.explanations import explanation

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MANIFEST = {"preset": "source", "created_at": NOON.isoformat(), "metrics": {"auc": 0.9}}
OLD, NEW = "아주 재미있다", "다시 보니 별로"


@pytest.fixture(autouse=True)
def model(engine: Engine) -> None:
    with writing(engine) as connection:
        store.register_model(connection, "v1", MANIFEST)


def prediction(text: str, *, probability: float = 0.75, method: str = "gradcam") -> Prediction:
    words = text.split()
    starts = [text.index(word) for word in words]
    tokens = [
        {"surface": w, "start": s, "end": s + len(w), "pos": "NNG", "heat": h}
        for w, s, h in zip(words, starts, (0.5, -0.25, 0.125), strict=False)
    ]
    why = explanation(tokens, method=method, comprehensiveness=0.3, pad_heat=0.01)
    return Prediction(probability, 1.0986, len(words), 0, False, (why,))


def chunk(texts: dict[str, str], moment: datetime = NOON) -> Chunk:
    reviews = tuple(Review(key, text) for key, text in texts.items())
    return Chunk(new_id(), "shop", reviews, moment, new_id())


def write(engine: Engine, given: Chunk, version: str = "v1", **how: Any) -> None:
    with writing(engine) as connection:
        found = [prediction(review.text, **how) for review in given.reviews]
        store.write(connection, given, found, version)


def rows(engine: Engine, table: Table) -> list[Any]:
    with reading(engine) as connection:
        return sorted(map(tuple, connection.execute(select(table))), key=lambda row: row[:4])


def everything(engine: Engine) -> list[Any]:
    return [rows(engine, t) for t in (tables.reviews, tables.predictions, tables.explanations)]


def ask(engine: Engine, query: str) -> list[Any]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_what_was_scored_stands_in_the_tables(engine: Engine):
    write(engine, chunk({"1": OLD, "2": "글\t'\"\\ 😀 \x01"}))
    assert ask(engine, "SELECT review_id, probability, label FROM review_scores ORDER BY 1") == [
        ("1", 0.75, 1),
        ("2", 0.75, 1),
    ]
    found = ask(
        engine,
        'SELECT surface, start, "end", heat, method FROM token_heat '
        "WHERE review_id = '1' ORDER BY position",
    )
    assert found == [("아주", 0, 2, 0.5, "gradcam"), ("재미있다", 3, 7, -0.25, "gradcam")]


def test_writing_again_changes_no_row_and_no_value(engine: Engine):
    given = chunk({str(i): f"글 {i} 번" for i in range(40)})
    write(engine, given)
    before = everything(engine)
    write(engine, given)
    again = replace(given, chunk_id=new_id(), batch_id=new_id(), submitted_at=NOON + timedelta(1))
    write(engine, again)
    assert everything(engine) == before


def test_a_newer_text_replaces_the_older_and_its_score(engine: Engine):
    write(engine, chunk({"1": OLD}))
    write(engine, chunk({"1": NEW}, NOON + timedelta(minutes=1)), probability=0.125)
    assert ask(engine, "SELECT text, probability FROM review_scores") == [(NEW, 0.125)]
    assert ask(engine, "SELECT surface FROM token_heat ORDER BY position") == [
        ("다시",), ("보니",), ("별로",),
    ]  # fmt: skip


def test_a_late_older_message_changes_nothing(engine: Engine):
    write(engine, chunk({"1": NEW}, NOON))
    before = everything(engine)
    write(engine, chunk({"1": OLD}, NOON - timedelta(minutes=1)), probability=0.125)
    assert everything(engine) == before


def test_a_late_message_between_two_equal_texts_changes_nothing(engine: Engine):
    write(engine, chunk({"1": OLD}, NOON))
    write(engine, chunk({"1": OLD}, NOON + timedelta(minutes=2)))
    before = everything(engine)
    write(engine, chunk({"1": NEW}, NOON + timedelta(minutes=1)))
    assert everything(engine) == before


def test_a_late_review_leaves_the_rest_of_its_chunk(engine: Engine):
    write(engine, chunk({"1": NEW}, NOON))
    write(engine, chunk({"1": OLD, "2": "처음 온 글"}, NOON - timedelta(minutes=1)))
    assert ask(engine, "SELECT review_id, text FROM review_scores ORDER BY 1") == [
        ("1", NEW),
        ("2", "처음 온 글"),
    ]


def test_several_methods_stand_side_by_side(engine: Engine):
    given = chunk({"1": OLD})
    write(engine, given)
    write(engine, given, method="kernel_gradcam")
    assert ask(engine, "SELECT DISTINCT method FROM token_heat ORDER BY 1") == [
        ("gradcam",),
        ("kernel_gradcam",),
    ]


def test_the_view_shows_the_model_that_was_activated_last_and_keeps_the_old_rows(engine: Engine):
    given = chunk({"1": OLD, "2": NEW})
    write(engine, given)
    with writing(engine) as connection:
        store.register_model(connection, "v2", MANIFEST)
    write(engine, replace(given, reviews=given.reviews[:1]), "v2", probability=0.25)
    assert ask(engine, "SELECT review_id, model_version FROM review_scores ORDER BY 1") == [
        ("1", "v2"),
        ("2", "v1"),
    ]
    assert len(rows(engine, tables.predictions)) == 3


def test_a_keyword_is_weighed_over_all_reviews(engine: Engine):
    write(engine, chunk({"1": "영화 좋다", "2": "영화 싫다"}))
    with writing(engine) as connection:
        hide_rare_words(connection, 1)
    found = ask(
        engine,
        "SELECT surface, reviews, occurrences, mean_heat, total_heat, positive_reviews, "
        "negative_reviews, is_function FROM keyword_importance ORDER BY 1",
    )
    assert found == [
        ("싫다", 1, 1, -0.25, -0.25, 1, 0, 0),
        ("영화", 2, 2, 0.5, 1.0, 2, 0, 0),
        ("좋다", 1, 1, -0.25, -0.25, 1, 0, 0),
    ]


def test_a_review_that_is_scored_after_all_is_no_dead_letter_any_more(engine: Engine):
    given = chunk({"1": OLD, "2": NEW})
    with writing(engine) as connection:
        bury_review(connection, given, given.reviews[0], Reason.SCORING_FAILED, "ValueError")
    write(engine, given)
    assert ask(engine, "SELECT COUNT(*) FROM dead_letters WHERE replayed_at IS NULL") == [(0,)]


def test_a_model_is_written_down_once(engine: Engine):
    before = rows(engine, tables.models)
    with writing(engine) as connection:
        store.register_model(connection, "v1", MANIFEST)
    assert rows(engine, tables.models) == before
    assert before[0][4]["metrics"] == {"auc": 0.9}
