import csv
import json
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from iyu.cli import app
from producer import producer as producer_module
from schemas import ledger
from schemas.database import connect, upgrade, writing
from schemas.errors import BrokerUnavailable
from schemas.tables import chunks


class DoneAtOnce:
    """A broker whose worker finishes every chunk in no time, unless told to let it lie."""

    works = True

    def __init__(self, settings):
        self._engine = connect(settings.database)

    def publish(self, chunk):
        if self.works:
            with writing(self._engine) as connection:
                ledger.finish(connection, chunk.chunk_id)

    def free_bytes(self):
        return None

    def close(self):
        self._engine.dispose()


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    address = f"sqlite:///{tmp_path}/iyu.db"
    monkeypatch.setenv("IYU_DATABASE_URL", address)
    monkeypatch.setattr(producer_module, "CeleryBroker", DoneAtOnce)
    monkeypatch.setattr(DoneAtOnce, "works", True)
    upgrade(connect(address))
    return address


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text("id,text\n1,굳\n2,\n3,별로\n4\n")
    return path


def submit(*arguments: object):
    return CliRunner().invoke(app, ["submit", *map(str, arguments)], prog_name="iyu")


def test_it_tells_what_was_accepted_and_what_was_not(database: str, file: Path):
    result = submit(file, "--wait")
    assert result.exit_code == 0, result.output
    assert "2 accepted in 1 chunks, 2 rejected" in result.stdout
    assert "'2': empty" in result.stdout
    assert "'line 5': malformed-row" in result.stdout
    assert "2 scored, 0 dead letters" in result.stdout
    assert "reviews/s from submit to the last row" in result.stdout


def test_json_is_all_there_is_on_standard_output(database: str, file: Path):
    told = json.loads(submit(file, "--wait", "--json").stdout)
    assert (told["accepted"], told["scored"], told["finished"]) == (2, 2, True)
    assert told["rejected"] == {"empty": 1, "malformed-row": 1}


def test_rejected_reviews_go_into_a_file(database: str, file: Path, tmp_path: Path):
    submit(file, "--rejects", tmp_path / "rejects.csv")
    with (tmp_path / "rejects.csv").open() as opened:
        assert list(csv.reader(opened)) == [
            ["review_id", "reason"],
            ["2", "empty"],
            ["line 5", "malformed-row"],
        ]


def test_the_end_of_the_timeout_has_its_own_exit_code(database: str, file: Path, monkeypatch):
    monkeypatch.setattr(DoneAtOnce, "works", False)
    result = submit(file, "--wait", "--timeout", "0.01")
    assert result.exit_code == 5
    assert "2 still waiting" in result.stdout


def test_dead_letters_have_their_own_exit_code(database: str, file: Path, monkeypatch):
    def bury(self, chunk):
        with writing(self._engine) as connection:
            ledger.finish(connection, chunk.chunk_id, ledger.State.DEAD)

    monkeypatch.setattr(DoneAtOnce, "publish", bury)
    result = submit(file, "--wait")
    assert result.exit_code == 6
    assert "0 scored, 2 dead letters" in result.stdout


def test_standard_input(database: str, monkeypatch):
    result = CliRunner().invoke(app, ["submit", "-", "--json"], input='{"id": 1, "text": "굳"}\n')
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["accepted"] == 1


def test_nothing_accepted_is_a_failure(database: str, tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,\n")
    assert submit(path, "--wait").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.csv"], "does not exist"),
        (["FILE", "--text-column", "body"], "it has: id, text"),
        (["FILE", "--encoding", "utf-9"], "no text encoding"),
        (["FILE", "--rejects", "no/such/folder.csv"], "cannot be written"),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(database, file, arguments, says):
    result = submit(*(file if argument == "FILE" else argument for argument in arguments))
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1
    with writing(connect(database)) as connection:
        assert connection.execute(select(chunks)).all() == []


def test_a_broker_that_is_down_is_one_line(database: str, file: Path, monkeypatch):
    def down(self):
        raise BrokerUnavailable("the broker does not answer; start it")

    monkeypatch.setattr(DoneAtOnce, "free_bytes", down)
    result = submit(file)
    assert result.exit_code == 3
    assert result.stderr == "iyu: error: the broker does not answer; start it\n"
