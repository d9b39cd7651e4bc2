import json
from contextlib import nullcontext
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.console.operations import status as status_module
from iyu.schemas.contract.message import Chunk, Queue, Rescore, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql.engine import connected, upgrade, writing


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    address = f"sqlite:///{tmp_path}/iyu.db"
    monkeypatch.setenv("IYU_DATABASE_URL", address)
    monkeypatch.setenv("IYU_BROKER_URL", "redis://127.0.0.1:1/0")
    return address


def fill(address: str) -> None:
    reviews = (Review("1", "굳"), Review("2", "별로"))
    made = [
        Chunk(new_id(), "test", reviews, utc_now(), None, queue)
        for queue in (Queue.LIVE, Queue.BULK, Queue.BULK)
    ]
    with connected(address) as engine:
        upgrade(engine)
        with writing(engine) as connection:
            ledger.accept(connection, made)
            ledger.finish(connection, made[2].chunk_id)


def test_a_broker_that_is_down_hides_nothing_of_the_ledger(database: str):
    fill(database)
    result = CliRunner().invoke(app, ["status", "--json"])
    printed = json.loads(result.stdout)
    assert result.exit_code == 3
    assert printed["pending"] == 4
    assert printed["queued"] == {"reviews.bulk": 2, "reviews.live": 2}
    assert (printed["scored_last_minute"], printed["drain_seconds"]) == (2, 120.0)
    assert "does not answer" in printed["broker_error"]


def test_a_person_reads_it_as_lines(database: str, monkeypatch: pytest.MonkeyPatch):
    fill(database)
    held = {"messages": {"reviews.live": 7}, "unacknowledged": 1}
    monkeypatch.setattr(status_module, "_from_broker", lambda *_: held)
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 0
    assert "reviews.live 7" in result.stdout
    assert "about 120 s" in result.stdout


class Held:
    """A broker that holds some messages in each queue."""

    def __init__(self, **messages: int) -> None:
        self.messages = {name.replace("_", "."): count for name, count in messages.items()}

    def llen(self, name: str) -> int:
        return self.messages.get(name, 0)

    def hlen(self, _name: str) -> int:
        return 2

    def hdel(self, _name: str, _key: str) -> int:
        return 0


def test_a_model_that_scores_stored_reviews_again_has_its_queue_shown(
    database: str, monkeypatch: pytest.MonkeyPatch
):
    fill(database)
    chunk = Chunk(new_id(), "test", (Review("1", "굳"),), utc_now(), None, Rescore("new"))
    with connected(database) as engine, writing(engine) as connection:
        ledger.accept(connection, [chunk])
    held = Held(reviews_live=1, reviews_rescore_new=7, reviews_rescore_old=9)
    monkeypatch.setattr(redis.Redis, "from_url", lambda *_, **__: nullcontext(held))
    printed = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    messages = {"reviews.live": 1, "reviews.bulk": 0, "reviews.rescore.new": 7}
    assert printed["messages"] == messages
    assert printed["queued"]["reviews.rescore.new"] == 1
    with connected(database) as engine, writing(engine) as connection:
        ledger.begin(connection, chunk)
    # Whoever scores its last chunks has not finished yet.
    printed = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert printed["messages"] == messages


def test_no_connection_outlives_the_command(database: str, monkeypatch: pytest.MonkeyPatch):
    fill(database)
    disposed: list[str] = []
    dispose = Engine.dispose
    monkeypatch.setattr(
        Engine, "dispose", lambda self, *_: (disposed.append(str(self.url)), dispose(self))
    )
    CliRunner().invoke(app, ["status"])
    assert disposed == [database]


def test_a_database_without_tables_is_one_line(database: str):
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 2
    assert "iyu db upgrade" in result.stderr


@pytest.mark.parametrize("command", ["status", "health", "dead-letters replay --all"])
def test_an_address_that_is_no_broker_is_one_line(
    database: str, monkeypatch: pytest.MonkeyPatch, command: str
):
    fill(database)
    monkeypatch.setenv("IYU_BROKER_URL", "kafka://127.0.0.1:9092")
    result = CliRunner().invoke(app, command.split())
    assert result.exit_code in {2, 3}
    assert isinstance(result.exception, SystemExit)
    lines = [line for line in result.output.splitlines() if "IYU_BROKER_URL" in line]
    assert len(lines) == 1
    assert "redis://HOST:6379/0" in lines[0]
