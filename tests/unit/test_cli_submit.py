import csv
import json
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.console.operations import submit as submission
from iyu.console.terminal.progress_bar import ProgressBar
from iyu.producer import outbox
from iyu.producer import producer as producer_module
from iyu.schemas.contract.errors import BrokerUnavailable, DatabaseUnavailable
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql.engine import connect, connected, upgrade, writing
from iyu.schemas.sql.tables import chunks


class DoneAtOnce:
    """A broker whose worker finishes every chunk in no time, unless `works` is false."""

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
    monkeypatch.setattr(producer_module, "RedisBroker", DoneAtOnce)
    monkeypatch.setattr(DoneAtOnce, "works", True)
    with connected(address) as engine:
        upgrade(engine)
    return address


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text("id,text\n1,굳\n2,\n3,별로\n4\n")
    return path


def submit(*arguments: object, given: bytes | None = None):
    command = ["submit", *map(str, arguments)]
    return CliRunner().invoke(app, command, input=given, prog_name="iyu")


def test_it_reports_accepted_and_rejected_reviews(database: str, file: Path):
    result = submit(file, "--wait")
    assert result.exit_code == 0, result.output
    assert "2 accepted in 1 chunks, 2 rejected" in result.stdout
    assert "'2': empty" in result.stdout
    assert "'line 5': malformed-row" in result.stdout
    assert "2 scored, 0 dead letters" in result.stdout
    assert "reviews/s from submit to the last row" in result.stdout


def test_json_is_all_there_is_on_standard_output(database: str, file: Path):
    printed = json.loads(submit(file, "--wait", "--json").stdout)
    assert (printed["accepted"], printed["scored"], printed["finished"]) == (2, 2, True)
    assert printed["rejected"] == {"empty": 1, "malformed-row": 1}


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
    with connected(database) as engine, writing(engine) as connection:
        assert connection.execute(select(chunks)).all() == []


#: Four in one transaction, of two reviews each: see `small_groups`.
SAFE = 8


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of two reviews, handed over four at a time, and only when there are four."""
    monkeypatch.setenv("IYU_CHUNK_SIZE", "2")
    monkeypatch.setattr(producer_module, "BULK_GROUP", 4)
    monkeypatch.setattr(producer_module, "BULK_LINGER", 600.0)


@pytest.fixture
def broken() -> bytes:
    """Thirteen reviews and then a byte that is no UTF-8, further on than one read reaches.

    For standard input: a file is read through once before its first review is handed over.
    """
    lines = [f'{{"id": {i}, "text": "{"좋다 " * 3000}{i}"}}\n'.encode() for i in range(13)]
    return b"".join([*lines, b'{"id": 13, "text": "\xff"}\n'])


def stored(address: str) -> int:
    with connected(address) as engine, writing(engine) as connection:
        counts = connection.scalars(select(chunks.c.review_count)).all()
    return sum(counts)


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_input_that_breaks_off_says_what_is_safe(database: str, broken: bytes, options):
    result = submit("-", *options, given=broken)
    assert result.exit_code == 2
    assert "not utf-8" in result.stderr
    assert f"{SAFE} reviews were handed over before and are safe" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    assert stored(database) == SAFE


@pytest.mark.usefixtures("small_groups")
def test_an_input_that_breaks_off_at_once_says_nothing_of_safety(database: str):
    assert "safe" not in submit("-", given=b"id,text\n1,\xff\n").stderr
    assert stored(database) == 0


@pytest.mark.usefixtures("small_groups")
def test_ctrl_c_says_what_is_safe(database: str, broken: bytes, monkeypatch: pytest.MonkeyPatch):
    def interrupted(rows):
        yield from islice(rows, 11)
        raise KeyboardInterrupt

    monkeypatch.setattr(ProgressBar, "count", lambda _self, rows: interrupted(rows))
    result = submit("-", given=broken)
    assert result.exit_code == 130
    assert result.stderr.startswith(f"iyu: stopped; {SAFE} reviews were handed over before")
    assert stored(database) == SAFE


@pytest.mark.usefixtures("small_groups")
def test_a_database_that_goes_away_says_what_is_safe(database: str, broken: bytes, monkeypatch):
    accept, calls = ledger.accept, iter(range(2))

    def down(*args):
        if next(calls):
            raise DatabaseUnavailable("the database does not answer; start it")
        accept(*args)

    monkeypatch.setattr(ledger, "accept", down)
    attempts = outbox.attempts
    monkeypatch.setattr(outbox, "attempts", lambda transient, _: attempts(transient, 0.0))
    monkeypatch.setattr(producer_module, "BULK_GROUP", 3)
    result = submit("-", given=broken)
    assert result.exit_code == 3
    line = "iyu: error: the database does not answer; start it; 6 reviews were handed over before"
    assert result.stderr.startswith(line)
    assert stored(database) == 6


def test_ctrl_c_while_waiting_says_that_all_is_safe(database: str, file: Path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(submission, "wait_for_batch", interrupted)
    result = submit(file, "--wait")
    assert result.exit_code == 130
    assert "2 reviews were handed over before and are safe" in result.stderr


def test_a_broker_that_is_down_is_one_line(database: str, file: Path, monkeypatch):
    def down(self):
        raise BrokerUnavailable("the broker does not answer; start it")

    monkeypatch.setattr(DoneAtOnce, "free_bytes", down)
    result = submit(file)
    assert result.exit_code == 3
    assert result.stderr == "iyu: error: the broker does not answer; start it\n"
