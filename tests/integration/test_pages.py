"""The view of scores: what it shows, and that pages of it are read from an index."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.tables import models, predictions, reviews
from iyu.schemas.sql.upsert import upsert

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MANY = 10_000
PAGE = 50
#: Reviews looked at for a page: its own, and those of the same chunk.
FEW = 400
SOURCES = ("films", "shop")

COLUMNS = "SELECT source, review_id, text, probability, submitted_at FROM review_scores"
FURTHER_ON = (
    f"{COLUMNS} WHERE (submitted_at, source, review_id) < (:submitted_at, 'shop', '002000') "
    f"ORDER BY submitted_at DESC, source DESC, review_id DESC LIMIT {PAGE}"
)
PAGES = (
    f"{COLUMNS} ORDER BY submitted_at DESC LIMIT {PAGE}",
    f"{COLUMNS} WHERE label = 0 ORDER BY submitted_at DESC LIMIT {PAGE}",
    f"{COLUMNS} WHERE source = 'shop' ORDER BY submitted_at DESC LIMIT {PAGE}",
    FURTHER_ON,
)


def add_model(engine: Engine, version: str, activated_at: datetime | None) -> None:
    columns = {
        "model_version": [version], "name": ["wide"], "created_at": NOON,
        "activated_at": activated_at, "manifest": ["{}"],
    }  # fmt: skip
    with writing(engine) as connection:
        upsert(connection, models, columns)


def add_reviews(engine: Engine, source: str, ids: list[str], moment: datetime) -> None:
    columns = {
        "source": source, "review_id": ids, "text": [f"글 {i}" for i in ids],
        "text_hash": [f"hash {i}" for i in ids], "submitted_at": moment,
    }  # fmt: skip
    with writing(engine) as connection:
        upsert(connection, reviews, columns)


def add_scores(engine: Engine, source: str, hashes: dict[str, str], version: str) -> None:
    columns = {
        "source": source, "review_id": list(hashes), "model_version": version,
        "probability": 0.5, "logit": 0.0, "label": [int(i) % 2 for i in hashes],
        "token_count": 3, "unknown_count": 0, "truncated": False,
        "text_hash": list(hashes.values()), "scored_at": NOON,
    }  # fmt: skip
    with writing(engine) as connection:
        upsert(connection, predictions, columns)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    add_model(engine, "old", NOON - timedelta(days=1))
    add_model(engine, "new", NOON)
    ids = [f"{i:06d}" for i in range(MANY)]
    for source in SOURCES:
        for begin in range(0, MANY, 100):
            moment = NOON + timedelta(minutes=begin)
            part = {i: f"hash {i}" for i in ids[begin : begin + 100]}
            add_reviews(engine, source, list(part), moment)
            add_scores(engine, source, part, "new" if begin % 200 else "old")
    if engine.dialect.name == "postgresql":  # autovacuum's work, now
        with writing(engine) as connection:
            connection.execute(text("ANALYZE"))
    return engine


def test_a_page_of_the_latest_is_read_from_an_index(filled: Engine):
    moment = f"'{NOON + timedelta(minutes=2000):%Y-%m-%d %H:%M:%S}'"
    for page in PAGES:
        query = page.replace(":submitted_at", moment)
        if filled.dialect.name == "sqlite":
            check_sqlite(filled, query)
        else:
            check_postgresql(filled, query)


def check_sqlite(engine: Engine, query: str) -> None:
    with reading(engine) as connection:
        plan = [row[-1] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
    assert any("r USING INDEX ix_reviews_submitted_at" in step for step in plan), plan
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


def check_postgresql(engine: Engine, query: str) -> None:
    with reading(engine) as connection:
        explained = connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")).scalar_one()
    nodes = list(steps(explained[0]["Plan"]))
    used = {node.get("Index Name") for node in nodes}
    assert "ix_reviews_submitted_at" in used, (query, used)
    assert all(node["Node Type"] != "Sort" for node in nodes), explained
    read = sum(node["Actual Rows"] for node in nodes if node.get("Relation Name") == "reviews")
    assert PAGE <= read <= FEW


def steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from steps(part)


def test_pages_one_after_the_other_show_every_review_once(filled: Engine):
    query = (
        "SELECT source, review_id, submitted_at FROM review_scores {where} "
        "ORDER BY submitted_at DESC, source DESC, review_id DESC LIMIT 777"
    )
    after = "WHERE (submitted_at, source, review_id) < (:submitted_at, :source, :review_id)"
    seen: list[tuple[str, str]] = []
    with reading(filled) as connection:
        page = connection.execute(text(query.format(where=""))).all()
        while page:
            seen += [(row.source, row.review_id) for row in page]
            page = connection.execute(text(query.format(where=after)), page[-1]._asdict()).all()
    assert len(seen) == len(set(seen)) == MANY * len(SOURCES)


@pytest.mark.parametrize("seed", range(4))
def test_the_score_of_the_model_activated_last_on_the_present_text_is_shown(
    engine: Engine, seed: int
):
    chance = random.Random(seed)
    versions = ["a", "b", "c", "d"]
    activated = {v: NOON + timedelta(hours=chance.randrange(1000)) for v in versions[:3]}
    for version in versions:  # the last one never served
        add_model(engine, version, activated.get(version))
    ids = [f"{i:03d}" for i in range(40)]
    add_reviews(engine, "shop", ids, NOON)
    expected: dict[str, str] = {}
    for version in [*sorted(activated, key=activated.__getitem__), "d"]:
        scored = [i for i in ids if chance.random() < 0.6]
        hashes = {i: chance.choice((f"hash {i}", "of another text")) for i in scored}
        add_scores(engine, "shop", hashes, version)
        if version in activated:
            expected |= {i: version for i, digest in hashes.items() if digest == f"hash {i}"}
    with reading(engine) as connection:
        rows = connection.execute(text("SELECT review_id, model_version FROM review_scores")).all()
    assert len(rows) == len(expected)
    assert dict(map(tuple, rows)) == expected
