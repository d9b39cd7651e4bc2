"""`iyu dead-letters`, over a real Redis and both databases."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.schemas.contract.message import Chunk, Queue, new_id
from iyu.schemas.contract.review import Reason, Review
from iyu.schemas.ledger.dead_letters import bury_raw, bury_review
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import connect, reading, upgrade, writing

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def run(*arguments: str):
    return CliRunner().invoke(app, ["dead-letters", *arguments], prog_name="iyu")


@pytest.fixture
def engine(redis_server, database_url: str, monkeypatch) -> Iterator[Engine]:
    """Two reviews that killed their worker, and a broken message."""
    monkeypatch.setenv("IYU_BROKER_URL", redis_server.url)
    monkeypatch.setenv("IYU_DATABASE_URL", database_url)
    engine = connect(database_url)
    upgrade(engine)
    bury(engine)
    with writing(engine) as connection:
        bury_raw(connection, "{broken", Reason.BAD_MESSAGE, "it is not JSON")
    yield engine
    engine.dispose()


def bury(engine: Engine) -> None:
    chunk = Chunk(new_id(), "shop", (Review("1", "가"), Review("2", "나")), NOON)
    with writing(engine) as connection:
        for review in chunk.reviews:
            bury_review(connection, chunk, review, Reason.KILLED_WORKER, "it died")


def open_letters() -> list[dict[str, object]]:
    return json.loads(run("list", "--json").stdout)


def test_a_list_shows_what_is_open_without_texts(engine):
    shown = run("list")
    assert shown.exit_code == 0
    assert shown.stdout.count("killed-worker") == 2
    assert "가" not in shown.stdout
    assert [letter["review_id"] for letter in open_letters()] == ["1", "2", None]
    assert run("list", "--reason", "bad-message").stdout.count("killed-worker") == 0


def test_show_prints_every_column_of_one(engine):
    letter_id = str(open_letters()[0]["id"])
    assert "text: 가" in run("show", letter_id).stdout
    assert run("show", "999").exit_code == 2


def test_a_replay_goes_through_the_ledger_and_closes_the_letter(engine, redis_server):
    done = run("replay", "--all")
    assert done.exit_code == 0
    assert "2 replayed in 1 chunks" in done.stdout
    assert "1 hold no review" in done.stderr
    assert [letter["reason"] for letter in open_letters()] == ["bad-message"]
    with reading(engine) as connection:
        [chunk] = connection.execute(select(tables.chunks)).fetchall()
    assert (chunk.state, chunk.review_count, chunk.submitted_at) == ("queued", 2, NOON)
    assert chunk.published_at is not None
    with redis_server.client() as client:
        assert client.llen(Queue.BULK) == 1
    assert "0 replayed" in run("replay", "--reason", "killed-worker").stdout


def test_what_fails_again_is_open_again(engine):
    run("replay", "--all")
    bury(engine)
    assert {letter["review_id"] for letter in open_letters()} == {"1", "2", None}
    assert max(int(str(letter["seen"])) for letter in open_letters()) == 2


def test_a_replay_without_the_broker_is_accepted_all_the_same(engine, redis_server):
    redis_server.kill()
    done = run("replay", "--source", "shop")
    assert done.exit_code == 0
    assert "the sweeper will publish" in done.stderr
    assert [letter["reason"] for letter in open_letters()] == ["bad-message"]


def test_with_a_broker_that_is_none_nothing_is_replayed(engine, monkeypatch):
    monkeypatch.setenv("IYU_BROKER_URL", "kafka://127.0.0.1:9092")
    assert run("replay", "--all").exit_code == 2
    assert len(open_letters()) == 3


def test_a_replay_needs_a_choice(engine):
    assert run("replay").exit_code == 2
    assert run("replay", "--reason", "nonsense").exit_code == 2
    assert len(open_letters()) == 3


def test_an_export_holds_everything(engine, tmp_path: Path):
    file = tmp_path / "dead.jsonl"
    assert run("export", str(file)).exit_code == 0
    letters = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [letter["text"] for letter in letters] == ["가", "나", None]
    assert letters[2]["raw"] == "{broken"
    assert run("export").stdout == file.read_text(encoding="utf-8")
