"""`iyu db`: what it copies, deletes and refuses."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.console.operations.prune import prune_older
from iyu.console.operations.prune_heatmaps import prune_heatmaps
from iyu.schemas.contract.errors import DatabaseOutdated
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.erasure.tombstones import write_tombstones
from iyu.schemas.results.epoch import read_feed
from iyu.schemas.sql.engine import check, connected, reading, upgrade, writing
from iyu.schemas.sql.tables import explanations, result_events
from iyu.worker.rows import write_chunk
from tests.harness.fakes import FakeScorer


def run(*arguments: str):
    return CliRunner().invoke(app, ["db", *arguments])


def test_a_backup_holds_what_only_the_log_holds(sqlite_url, tmp_path):
    copy = tmp_path / "copy.db"
    with connected(sqlite_url) as engine:
        upgrade(engine)
        with writing(engine) as connection:
            write_tombstones(connection, "s", ["1"], utc_now())
        done = run("backup", str(copy), "--database", sqlite_url)
    assert done.exit_code == 0, done.output
    assert copy.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM tombstones").fetchone() == (1,)
    assert not (tmp_path / "copy.db-wal").exists()
    again = run("backup", str(copy), "--database", sqlite_url)
    assert (again.exit_code, again.output.count("\n")) == (2, 1)
    assert "File exists" in again.output


def test_a_backup_of_postgresql_names_its_own_tool(postgres_url, tmp_path):
    with connected(postgres_url) as engine:
        upgrade(engine)
    refused = run("backup", str(tmp_path / "copy"), "--database", postgres_url)
    assert refused.exit_code == 2
    assert "pg_dump" in refused.output
    assert not (tmp_path / "copy").exists()


def add_event(engine, age: timedelta) -> None:
    """One event of the results feed that is so old."""
    with writing(engine) as connection:
        connection.execute(
            result_events.insert(),
            {
                "happened_at": utc_now() - age,
                "kind": "scored",
                "source": "s",
                "review_ids": ["1"],
                "model_version": "0" * 12,
            },
        )


def test_prune_deletes_old_events_and_tombstones_and_keeps_new_ones(engine):
    for days, review_id in ((40, "old"), (1, "new")):
        add_event(engine, timedelta(days=days))
        with writing(engine) as connection:
            write_tombstones(connection, "s", [review_id], utc_now() - timedelta(days=days))
    pruned = prune_older(engine, 30)
    assert (pruned.events, pruned.tombstones) == (1, 1)
    with reading(engine) as connection:
        for table in ("result_events", "tombstones"):
            assert connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one() == 1


def test_a_restarted_feed_has_another_epoch(engine, database_url):
    with reading(engine) as connection:
        before = read_feed(connection).epoch
    done = run("restart-feed", "--database", database_url)
    assert done.exit_code == 0, done.output
    with reading(engine) as connection:
        assert read_feed(connection).epoch != before


def test_tables_of_a_newer_version_are_refused_in_one_line(engine, database_url):
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for attempt in (upgrade, check):
        with pytest.raises(DatabaseOutdated, match="newer than this iyu"):
            attempt(engine)
    shown = run("upgrade", "--database", database_url)
    assert (shown.exit_code, shown.output.count("\n")) == (2, 1)


@pytest.mark.parametrize("command", [("sql", "SELECT 1"), ("db", "upgrade"), ("db", "check")])
def test_a_file_that_is_no_database_is_one_line(tmp_path, command):
    file = tmp_path / "reviews.csv"
    file.write_text("id,text\n" * 1_000)
    shown = CliRunner().invoke(app, [*command, "--database", f"sqlite:///{file}"])
    assert (shown.exit_code, shown.output.count("\n")) == (2, 1)
    assert file.read_text() == "id,text\n" * 1_000


def test_an_option_that_the_driver_does_not_know_is_one_line(postgres_url):
    shown = run("check", "--database", f"{postgres_url}?password=hunter2&sslmood=on")
    assert (shown.exit_code, shown.output.count("\n")) == (2, 1)
    assert "sslmood" in shown.output
    assert "hunter2" not in shown.output


def test_a_source_that_is_no_utf8_is_one_line_and_accepts_nothing(
    engine, database_url, redis_server, tmp_path, monkeypatch
):
    monkeypatch.setenv("IYU_DATABASE_URL", database_url)
    monkeypatch.setenv("IYU_BROKER_URL", redis_server.url)
    (tmp_path / "a.csv").write_text("id,text\n1,좋다\n")
    arguments = ["submit", str(tmp_path / "a.csv"), "--source", "\udcff", "--json"]
    shown = CliRunner().invoke(app, arguments)
    assert (shown.exit_code, shown.output.count("\n")) == (2, 1)
    with reading(engine) as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM chunks")).scalar_one() == 0


def test_an_argument_that_is_no_utf8_is_one_line(engine, database_url):
    shown = CliRunner().invoke(
        app, ["forget", "\udcff", "1", "--database", database_url, "--verify"]
    )
    assert (shown.exit_code, shown.output.count("\n")) == (2, 1)


def test_heatmaps_of_old_texts_are_deleted_in_steps_and_nothing_else(engine, database_url):
    """1,200 old reviews, 5 new ones, and one whose text is replaced while it runs."""
    old, new = utc_now() - timedelta(days=100), utc_now()
    with writing(engine) as connection:
        write_chunk.register_model(connection, "v1", FakeScorer("v1").artifact.manifest)
    store(engine, {f"old-{n}": f"배우 {n}" for n in range(1_200)}, old)
    store(engine, {f"new-{n}": f"배우 {n}" for n in range(5)}, new)
    seen: list[int] = []

    def replace_a_text(done: int) -> None:
        if not seen:
            store(engine, {"old-999": "다시 썼다"}, new)  # the last by its key
        seen.append(done)

    before = utc_now() - timedelta(days=90)
    assert prune_heatmaps(engine, before, replace_a_text, at_once=500) == 1_199
    assert seen[0] == 500
    with reading(engine) as connection:
        left = connection.scalars(select(explanations.c.review_id)).all()
        assert sorted(left) == [*(f"new-{n}" for n in range(5)), "old-999"]
        scores = connection.scalar(text("SELECT COUNT(*) FROM review_scores"))
        assert scores == 1_205
    done = run("prune", "--heatmaps-older", "90d", "--database", database_url)
    assert (done.exit_code, "0 heatmaps deleted" in done.output) == (0, True)
    refused = run("prune", "--heatmaps-older", "ninety", "--database", database_url)
    assert refused.exit_code == 2
    assert "90d" in refused.output


def store(engine, texts, moment):
    """Write a chunk as a worker does."""
    rows = tuple(Review(key, review) for key, review in texts.items())
    found = FakeScorer("v1").score([row.text for row in rows])
    with writing(engine) as connection:
        write_chunk.write(connection, Chunk(new_id(), "shop", rows, moment), found, "v1")
