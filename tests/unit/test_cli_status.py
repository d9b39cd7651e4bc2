import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from iyu import status as status_module
from iyu.cli import app
from schemas import ledger
from schemas.database import connect, upgrade, writing
from schemas.message import Chunk, Queue, new_id
from schemas.review import Review, utc_now


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    address = f"sqlite:///{tmp_path}/iyu.db"
    monkeypatch.setenv("IYU_DATABASE_URL", address)
    monkeypatch.setenv("IYU_BROKER_URL", "redis://127.0.0.1:1/0")
    return address


def fill(address: str) -> None:
    engine = connect(address)
    upgrade(engine)
    reviews = (Review("1", "굳"), Review("2", "별로"))
    made = [
        Chunk(new_id(), "test", reviews, utc_now(), None, queue)
        for queue in (Queue.LIVE, Queue.BULK, Queue.BULK)
    ]
    with writing(engine) as connection:
        ledger.accept(connection, made)
        ledger.finish(connection, made[2].chunk_id)


def test_a_broker_that_is_down_hides_nothing_of_the_ledger(database: str):
    fill(database)
    result = CliRunner().invoke(app, ["status", "--json"])
    told = json.loads(result.stdout)
    assert result.exit_code == 3
    assert told["pending"] == 4
    assert told["queued"] == {"reviews.bulk": 2, "reviews.live": 2}
    assert (told["scored_last_minute"], told["drain_seconds"]) == (2, 120.0)
    assert "does not answer" in told["broker_error"]


def test_a_person_reads_it_as_lines(database: str, monkeypatch: pytest.MonkeyPatch):
    fill(database)
    held = {"messages": {"reviews.live": 7}, "unacknowledged": 1}
    monkeypatch.setattr(status_module, "_from_broker", lambda _address: held)
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 0
    assert "reviews.live 7" in result.stdout
    assert "about 120 s" in result.stdout


def test_a_database_without_tables_is_told_in_one_line(database: str):
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 2
    assert "iyu db upgrade" in result.stderr
