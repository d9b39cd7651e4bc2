"""Every migration keeps the rows of the revision before, and all together make today's tables."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any, Final

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, Table, inspect, select, text

from iyu.schemas.sql import migrations
from iyu.schemas.sql.engine import connected, reading, upgrade, writing
from iyu.schemas.sql.tables import metadata
from iyu.schemas.sql.views import NAMES, create_statements
from iyu.worker.rows.add_to_keyword_days import add_all_deltas

NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
TEXTS: Final = {"1": "배우가 좋다", "2": "배우가 아깝다"}
TOKENS: Final = {
    "1": [
        {"surface": "배우", "pos": "NNG", "start": 0, "end": 2, "heat": 0.5},
        {"surface": "가", "pos": "JKS", "start": 2, "end": 3, "heat": 0.25},
        {"surface": "좋", "pos": "VA", "start": 4, "end": 5, "heat": 2.0},
        {"surface": "다", "pos": "EF", "start": 5, "end": 6, "heat": None},
    ],
    "2": [
        {"surface": "배우", "pos": "NNG", "start": 0, "end": 2, "heat": -0.25},
        {"surface": "가", "pos": "JKS", "start": 2, "end": 3, "heat": 0.125},
        {"surface": "아깝", "pos": "VA", "start": 4, "end": 6, "heat": -1.5},
        {"surface": "다", "pos": "EF", "start": 6, "end": 7, "heat": -0.5},
    ],
}


def of_each_review(**columns: Any) -> list[dict[str, Any]]:
    """Rows of a table that has one a review; a function gives what differs between them."""
    return [
        {"source": "shop", "review_id": key, "text_hash": f"hash {key}"}
        | {name: value(key) if callable(value) else value for name, value in columns.items()}
        for key in TEXTS
    ]


#: Rows for every table. A column that a revision does not have yet is left out.
ROWS: Final[dict[str, list[dict[str, Any]]]] = {
    "reviews": of_each_review(
        text=TEXTS.get, submitted_at=NOON, batch_id="a batch", written_at=NOON
    ),
    "resubmissions": [{"source": "shop", "review_id": "1", "submitted_at": NOON}],
    "models": [
        {
            "model_version": "v1", "name": "wide", "created_at": NOON, "activated_at": NOON,
            "manifest": {"preset": "wide", "metrics": {"auc": 0.95}},
        },
        {
            "model_version": "v2", "name": "wide", "created_at": NOON, "activated_at": None,
            "manifest": {},
        },
    ],
    "predictions": of_each_review(
        model_version="v1", probability=0.75, logit=1.0986,
        label=lambda key: int(key == "1"), token_count=4, unknown_count=0, truncated=False,
        scored_at=NOON,
    ),
    "explanations": of_each_review(
        model_version="v1", method="gradcam", layers="conv1", target="logit", tokens=TOKENS.get,
        comprehensiveness=0.3, sufficiency=None, pad_heat=0.0, completeness_gap=None,
        starts=None, ends=None, tags=None, heats=None, addresses=None,
    ),
    "batches": [
        {
            "batch_id": "a batch", "source": "shop", "origin": "reviews.csv", "accepted": 2,
            "rejected": 1, "chunks": 1, "created_at": NOON, "closed_at": None,
        }
    ],
    "chunks": [
        {
            "chunk_id": "a chunk", "parent_id": None, "batch_id": "a batch", "source": "shop",
            "queue": "reviews.bulk", "review_count": 2, "state": "running", "attempts": 1,
            "submitted_at": NOON, "published_at": NOON, "started_at": NOON,
            "finished_at": None, "payload": b"\x00\xff", "error": "Timeout", "failures": 2,
            "arrived_at": NOON, "content_hash": "a hash",
        }
    ],
    "dead_letters": [
        {
            "id": 7, "fingerprint": "a fingerprint", "source": "shop", "review_id": "3",
            "text": "글", "raw": None, "reason": "scoring-failed", "error": "ValueError",
            "chunk_id": "a chunk", "batch_id": "a batch", "submitted_at": NOON, "seen": 2,
            "first_seen_at": NOON, "last_seen_at": NOON, "replayed_at": None,
            "written_at": NOON,
        }
    ],
    "keyword_days": [
        {
            "model_version": "v1", "method": "gradcam", "day": date(2026, 11, 23),
            "surface": "재미", "pos": "NNG", "source": "shop", "reviews": 3, "occurrences": 4,
            "heat": 2.5, "positive_reviews": 2, "positive_occurrences": 3, "positive_heat": 2.75,
            "heat_squared": 4.25,
        }
    ],
    "keyword_totals": [
        {
            "model_version": "v1", "method": "gradcam", "surface": "재미", "pos": "NNG",
            "reviews": 3,
        }
    ],
    "privacy": [{"id": 1, "min_reviews": 1}],
    "keyword_deltas": [{"id": 5, "payload": b"\x00\xff"}],
    "review_days": [
        {
            "source": "shop", "day": date(2026, 11, 23), "model_version": "v1", "reviews": 3,
            "positive_reviews": 2, "tokens": 12, "unknown_tokens": 1, "truncated_reviews": 0,
            "probability": 1.75, "probability_squared": 1.25,
        }
    ],
    "day_deltas": [{"id": 3, "payload": b"\x00\xff"}],
    "days_to_recount": [{"day": date(2026, 11, 23)}],
    "result_events": [
        {
            "id": 11, "kind": "scored", "source": "shop", "model_version": "v1",
            "review_ids": ["1", "2"], "happened_at": NOON,
        }
    ],
    "result_feed": [{"epoch": "e", "cluster": None, "pruned_xid": 0, "pruned_id": 0}],
    "result_consumers": [{"name": "crm", "cursor": "0", "moved_at": NOON}],
    "webhooks": [
        {
            "webhook_id": "wh_1", "url": "https://example.com/", "sources": [], "label": None,
            "below": 0.3, "above": None, "cursor": "0", "given_up": 0, "last_error": None,
            "created_at": NOON, "failing_since": None, "ended_at": None, "leased_by": None,
            "leased_until": None,
        }
    ],
    "webhook_secrets": [{"webhook_id": "wh_1", "secret": "whsec_x", "previous": None}],
    "webhook_deliveries": [
        {
            "delivery_id": "msg_1", "webhook_id": "wh_1", "body": "{}", "attempts": 1,
            "due_at": NOON, "created_at": NOON,
        }
    ],
    "heartbeats": [
        {
            "process_id": "p", "role": "worker", "host": "h", "pid": 1, "iyu_version": "0.1.0",
            "model_version": "v1", "started_at": NOON, "beat_at": NOON, "last_chunk_at": None,
            "begun": 3,
        }
    ],
    "ledger_totals": [{"queue": "reviews.bulk", "measure": "scored", "value": 2.0}],
    "table_readers": [{"oldest_revision": "0001"}],
    "tombstones": [{"key_hash": "a hash", "erased_at": NOON}],
    "ingest_positions": [
        {
            "source": "shop", "address": "sqlite:///shop.db", "table_name": "shop_reviews",
            "watermark": "number 7", "moved_at": NOON,
        }
    ],
    "verifications": [
        {
            "verification_id": 3, "started_at": NOON, "finished_at": NOON, "iyu_version": "0.1.0",
            "scope": {"source": "shop"}, "rows_checked": 2, "rows_scored": 2, "findings": 1,
            "found": {"heat": 1},
        }
    ],
    "labels": of_each_review(label=1, imported_at=NOON),
    "model_comparisons": [
        {
            "model_a": "v2", "model_b": "v1", "compared_source": "", "made_at": NOON, "reviews": 2,
            "agreement": 0.5, "mean_difference": 0.25, "to_positive": 1, "to_negative": 0,
            "method": "gradcam", "words": [{"surface": "재미", "pos": "NNG"}], "scored_a": 2,
            "scored_b": 3,
        }
    ],
    "model_comparison_examples": of_each_review(
        model_a="v2", model_b="v1", compared_source="", probability_a=0.25, probability_b=0.75,
    ),
    "gateway_tokens": [
        {
            "token_id": "a1b2c3d4", "source": "shop", "secret_hash": "0" * 64,
            "rights": ["submit", "read"], "note": None, "created_at": NOON, "expires_at": None,
        }
    ],
}  # fmt: skip

DAY: Final = {"day": date(2026, 11, 23), "positive_heat": 2.0}

Snapshot = dict[str, list[dict[str, Any]]]


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", migrations.__path__[0])
    config.attributes["connection"] = connection
    return config


def revisions() -> list[str]:
    """All revisions, the oldest first."""
    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    return [script.revision for script in scripts][::-1]


STEPS: Final = list(pairwise(["base", *revisions()]))


def migrate(engine: Engine, revision: str) -> None:
    with writing(engine) as connection:
        command.upgrade(alembic_config(connection), revision)


def tables(connection: Connection) -> list[Table]:
    """The tables as they are in this database, not as the code expects them."""
    reflected = MetaData()
    reflected.reflect(connection)
    return [table for table in reflected.sorted_tables if table.name in ROWS]


def fill(engine: Engine) -> None:
    """Add the rows of every table that is there and empty."""
    with writing(engine) as connection:
        for table in tables(connection):
            if connection.execute(table.select().limit(1)).first() is None:
                names = table.columns.keys()
                rows = [{n: row[n] for n in names if n in row} for row in ROWS[table.name]]
                connection.execute(table.insert(), rows)


def snapshot(engine: Engine) -> Snapshot:
    with reading(engine) as connection:
        return {
            table.name: sorted(
                (dict(row) for row in connection.execute(table.select()).mappings()), key=repr
            )
            for table in tables(connection)
        }


def kept(rows: Snapshot) -> Snapshot:
    """Leave out who may read the tables: a migration may say so anew."""
    return {table: found for table, found in rows.items() if table != "table_readers"}


def restricted(now: Snapshot, before: Snapshot) -> Snapshot:
    """The tables and columns of `now` that were there before."""
    return {
        name: [{column: row[column] for column in rows[0]} for row in now[name]]
        for name, rows in before.items()
    }


def described(engine: Engine) -> dict[str, Any]:
    """Tables, columns, keys, indexes and the texts of views, as the database states them."""
    found = inspect(engine)
    tables: dict[str, Any] = {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in found.get_columns(table)
            },
            "key": found.get_pk_constraint(table),
            "indexes": sorted(described_index(index) for index in found.get_indexes(table)),
            "unique": found.get_unique_constraints(table),
            "kind": described_kind(engine, table),
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }
    return tables | {name: found.get_view_definition(name) for name in found.get_view_names()}


def described_index(index: Any) -> str:
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return f"{index['name']} {index['column_names']} {index['unique']} {options}"


def described_kind(engine: Engine, table: str) -> list[str]:
    """What SQLite's rows are found by; an inspector does not say."""
    if engine.dialect.name != "sqlite":
        return []
    with reading(engine) as connection:
        query = text("SELECT sql FROM sqlite_master WHERE name = :name")
        statement = connection.execute(query, {"name": table}).scalar_one()
    return [words for words in ("AUTOINCREMENT", "WITHOUT ROWID") if words in statement]


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    """An engine on a database without tables, once of each kind."""
    with connected(database_url) as engine:
        yield engine


@pytest.fixture
def second(empty: Engine, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A second empty database of the same kind."""
    if empty.dialect.name == "sqlite":
        with connected(f"{empty.url}.second") as engine:
            yield engine
        return
    server = request.getfixturevalue("postgres")
    url = server.create_database()
    with connected(url) as engine:
        yield engine
    server.drop_database(url)


def test_every_table_has_rows_here():
    assert set(ROWS) == set(metadata.tables)


@pytest.mark.parametrize(("before", "revision"), STEPS[1:])
def test_a_revision_keeps_the_rows_of_the_one_before(empty: Engine, before: str, revision: str):
    migrate(empty, before)
    fill(empty)
    rows = snapshot(empty)
    assert all(rows.values())
    migrate(empty, revision)
    assert kept(restricted(snapshot(empty), rows)) == kept(rows)


def test_all_revisions_one_by_one_keep_all_rows(empty: Engine):
    rows: Snapshot = {}
    for _, revision in STEPS:
        migrate(empty, revision)
        assert kept(restricted(snapshot(empty), rows)) == kept(rows)
        fill(empty)
        rows = snapshot(empty)
    with reading(empty) as connection:
        assert MigrationContext.configure(connection).get_current_revision() == STEPS[-1][1]
        for view in NAMES:
            assert connection.execute(text(f"SELECT COUNT(*) FROM {view}")).scalar_one() > 0


def test_words_stored_before_the_daily_sums_are_counted(empty: Engine):
    """배우 in both reviews, 좋 in the positive one, 아깝 in the negative one; no particle."""
    migrate(empty, "0001")
    fill(empty)
    migrate(empty, "0002")
    query = (
        "SELECT CAST(day AS VARCHAR), surface, reviews, occurrences, heat, "
        "positive_reviews, positive_occurrences, positive_heat FROM keyword_days ORDER BY 2"
    )
    with reading(empty) as connection:
        assert sorted(tuple(row) for row in connection.execute(text(query))) == [
            ("2026-11-23", "배우", 2, 2, 0.25, 1, 1, 0.5),
            ("2026-11-23", "아깝", 1, 1, -1.5, 0, 0, 0.0),
            ("2026-11-23", "좋", 1, 1, 2.0, 1, 1, 2.0),
        ]


def test_numbers_and_addresses_stored_before_leave_the_sums(empty: Engine):
    """Of a@b.kr in the one review, and 010 in any, nothing stays; 재미 does."""
    migrate(empty, "0006")
    fill(empty)
    text_before, mail = "재미 a@b.kr", [
        {"surface": "재미", "pos": "NNG", "start": 0, "end": 2, "heat": 0.5},
        {"surface": "a", "pos": "SL", "start": 3, "end": 4, "heat": 2.0},
        {"surface": "b.kr", "pos": "SL", "start": 5, "end": 9, "heat": None},
    ]  # fmt: skip
    with writing(empty) as connection:
        day = connection.execute(text("SELECT * FROM keyword_days")).mappings().one()
        for surface, pos in (("a", "SL"), ("010", "SN"), ("3", "SN+NNBC")):
            row = dict(day) | {"surface": surface, "pos": pos, "reviews": 1, "occurrences": 1}
            row |= {"heat": 2.0, "positive_reviews": 1, "positive_occurrences": 1}
            row |= DAY
            columns = [sa.column(name, sa.Date if name == "day" else None) for name in row]
            connection.execute(sa.table("keyword_days", *columns).insert(), row)
        r, e = metadata.tables["reviews"], metadata.tables["explanations"]
        connection.execute(r.update().where(r.c.review_id == "1").values(text=text_before))
        connection.execute(e.update().where(e.c.review_id == "1").values(tokens=mail))
        connection.execute(text("DELETE FROM keyword_deltas"))
    migrate(empty, STEPS[-1][1])
    add_all_deltas(empty)
    with reading(empty) as connection:
        days = connection.execute(text("SELECT surface, reviews FROM keyword_days")).all()
        totals = connection.execute(text("SELECT surface, reviews FROM keyword_totals")).all()
        tokens = connection.execute(select(e.c.tokens).where(e.c.review_id == "1")).scalar_one()
    assert days == totals == [("재미", 3)]
    assert [token.get("address") for token in tokens] == [None, True, True]


def test_all_at_once_or_step_by_step_gives_the_same_tables(empty: Engine, second: Engine):
    for _, revision in STEPS:
        migrate(empty, revision)
        fill(empty)
    upgrade(second)
    assert described(empty) == described(second)


def test_the_code_describes_the_tables_and_views_that_the_migrations_make(
    empty: Engine, second: Engine
):
    upgrade(empty)
    with writing(second) as connection:
        metadata.create_all(connection)
        for statement in create_statements(second.dialect.name):
            connection.execute(text(statement))
    assert described(empty) == described(second)


def test_all_downgrades_leave_nothing_and_the_way_up_is_open_again(empty: Engine):
    upgrade(empty)
    fill(empty)
    before = described(empty)
    with writing(empty) as connection:
        command.downgrade(alembic_config(connection), "base")
    assert not set(inspect(empty).get_table_names()) & set(ROWS)
    assert inspect(empty).get_view_names() == []
    upgrade(empty)
    assert described(empty) == before
