"""Whatever raises in a task is counted and ends: no message comes back for ever."""

import json
import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, select

from iyu.schemas.contract.errors import DatabaseUnavailable
from iyu.schemas.contract.message import TASK, Queue
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.chunks import State
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading, writing
from iyu.worker import chunk as chunk_module
from iyu.worker.service import failures
from iyu.worker.transport.envelope import BURY_TASK
from tests.harness.fakes import FakeScorer
from tests.harness.guarded_worker import GuardedWorker
from tests.unit.test_intake import element

NOON = "2026-01-01T12:00:00+00:00"


class UnforeseenError(Exception):
    """What nobody thought of."""


@pytest.fixture
def worker(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> GuardedWorker:
    worker = GuardedWorker(engine, FakeScorer("abc"))
    monkeypatch.setattr(failures.time, "sleep", worker.pauses.append)
    return worker


def message(*texts: str, chunk_id: str = "", **kwargs: Any) -> bytes:
    named = {"source": "shop", "submitted_at": NOON} | kwargs
    reviews = [[str(n), text] for n, text in enumerate(texts, start=1)]
    body = [[chunk_id or str(uuid.uuid4()), reviews], named, None]
    return element(body, headers={"task": TASK, "id": str(uuid.uuid4())})


def rows(worker: GuardedWorker, table: Any) -> list[Any]:
    with reading(worker.engine) as connection:
        return list(connection.execute(select(table)))


def fail_for(monkeypatch: pytest.MonkeyPatch, text: str, where: Any, name: str) -> None:
    """Let a step raise for chunks that hold a text."""
    real = getattr(where, name)

    def failing(connection: Any, chunk: Any, *args: Any, **options: Any) -> Any:
        if any(text in review.text for review in chunk.reviews):
            raise UnforeseenError(f"holds {text}")
        return real(connection, chunk, *args, **options)

    monkeypatch.setattr(where, name, failing)


def test_a_review_that_cannot_be_stored_is_a_dead_letter_and_sinks_no_neighbour(
    worker: GuardedWorker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    fail_for(monkeypatch, "나쁜", chunk_module.rows, "write")
    worker.serve(message("좋다", "나쁜 글", "싫다"), Queue.LIVE)
    assert sorted(row.review_id for row in rows(worker, tables.predictions)) == ["1", "3"]
    [letter] = rows(worker, tables.dead_letters)
    assert (letter.review_id, letter.text, letter.reason) == ("2", "나쁜 글", "unforeseen-error")
    assert "UnforeseenError" in letter.error
    assert {row.state for row in rows(worker, tables.chunks)} == {"split", "done", "dead"}
    assert {row.attempts for row in rows(worker, tables.chunks)} <= {0, 1}
    assert "나쁜" not in caplog.text
    assert "나쁜" not in letter.error


def test_pauses_grow_and_are_bounded(worker: GuardedWorker, monkeypatch: pytest.MonkeyPatch):
    fail_for(monkeypatch, "나쁜", chunk_module.rows, "write")
    worker.serve(message("나쁜 글"), Queue.BULK)
    assert len(worker.pauses) == failures.MAX_FAILURES - 1
    assert sorted(worker.pauses) == worker.pauses
    assert max(worker.pauses) <= failures.LONGEST_PAUSE


def test_where_the_row_cannot_be_written_the_header_counts(
    worker: GuardedWorker, monkeypatch: pytest.MonkeyPatch
):
    fail_for(monkeypatch, "나쁜", ledger, "begin")
    worker.serve(message("나쁜 글", "둘째"), Queue.BULK)
    letters = rows(worker, tables.dead_letters)
    assert [(row.review_id, row.reason) for row in letters] == [
        ("1", "unforeseen-error"), ("2", "unforeseen-error"),
    ]  # fmt: skip
    assert rows(worker, tables.chunks) == []


def test_a_message_whose_letters_cannot_be_written_is_kept_whole(
    worker: GuardedWorker, monkeypatch: pytest.MonkeyPatch
):
    fail_for(monkeypatch, "나쁜", ledger, "begin")

    def failing(*_: Any) -> None:
        raise UnforeseenError

    monkeypatch.setattr(failures, "bury_review", failing)
    worker.serve(message("나쁜 글"), Queue.BULK)
    [letter] = rows(worker, tables.dead_letters)
    assert "나쁜 글" in letter.raw
    assert (letter.source, letter.reason) == ("shop", "unforeseen-error")


def test_a_live_message_that_fails_waits_behind_bulk(
    worker: GuardedWorker, monkeypatch: pytest.MonkeyPatch
):
    fail_for(monkeypatch, "나쁜", chunk_module.rows, "write")
    chunk_id = str(uuid.uuid4())
    assert worker.deliver(message("나쁜 글", chunk_id=chunk_id), Queue.LIVE)
    [(again, queue)] = worker._published()
    assert queue == Queue.BULK
    [row] = rows(worker, tables.chunks)
    assert (row.queue, row.state, row.failures, row.attempts) == (Queue.BULK, State.QUEUED, 1, 0)
    assert row.error == "UnforeseenError"
    assert json.loads(again)["headers"]["iyu_failures"] == 1


def test_a_message_lost_on_its_way_back_goes_on_counting(
    worker: GuardedWorker, monkeypatch: pytest.MonkeyPatch
):
    """Published again from the ledger it has no header: the ledger's own count holds."""
    fail_for(monkeypatch, "나쁜", chunk_module.rows, "write")
    lost = message("나쁜 글", chunk_id=str(uuid.uuid4()))
    for _ in range(failures.MAX_FAILURES):
        worker.deliver(lost, Queue.BULK)
        worker._published()
    [letter] = rows(worker, tables.dead_letters)
    assert letter.reason == "unforeseen-error"


def test_trouble_of_the_database_is_never_counted(
    worker: GuardedWorker, monkeypatch: pytest.MonkeyPatch
):

    def failing(*_: Any) -> None:
        raise DatabaseUnavailable("as the test wants")

    monkeypatch.setattr(chunk_module.rows, "write", failing)
    given = message("글")
    for _ in range(2 * failures.MAX_FAILURES):
        assert not worker.deliver(given, Queue.BULK)
    assert rows(worker, tables.dead_letters) == []
    assert {row.failures for row in rows(worker, tables.chunks)} == {0}


def test_keywords_that_python_knows_are_the_publishers_fault(worker: GuardedWorker):
    worker.serve(message("글", task="x"), Queue.BULK)
    worker.serve(message("글", self="x"), Queue.BULK)
    assert [row.reason for row in rows(worker, tables.dead_letters)] == ["bad-message"] * 2


BAD = {
    "source": "\ud800", "batch_id": "\ud800", "batch_id long": "x" * 37, "source nul": "a\0",
    "batch_id nul": "\0", "submitted_at": "0001-01-01T00:00:00+09:00",
    "submitted_at last": "9999-12-31T23:59:59-09:00",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_field_that_no_database_takes_is_a_dead_letter_at_once(worker: GuardedWorker, name: str):
    worker.serve(message("글", **{name.split(maxsplit=1)[0]: BAD[name]}), Queue.LIVE)
    assert worker.outcomes == {TASK: 1}
    [letter] = rows(worker, tables.dead_letters)
    assert letter.reason == "bad-message"
    assert worker.pauses == []


def test_two_hundred_dicts_are_one_letter_with_their_ids(worker: GuardedWorker):
    batch_id = str(uuid.uuid4())
    dicts = [{"text": "글 " * 400, "review_id": f"id-{n}"} for n in range(200)]
    body = [[str(uuid.uuid4()), dicts], {"source": "shop", "submitted_at": NOON}, None]
    worker.serve(element(body), Queue.BULK)
    body = [[dicts], {"source": "shop", "batch_id": batch_id, "submitted_at": NOON}, None]
    worker.serve(element(body), Queue.BULK)
    first, second = rows(worker, tables.dead_letters)
    assert (first.source, first.reason) == ("shop", "missing-id")
    assert (second.source, second.batch_id, second.reason) == ("shop", batch_id, "bad-message")
    assert '"id-199"' in first.raw
    assert '"id-199"' in second.raw


def test_a_burial_of_a_stranger_is_kept(worker: GuardedWorker):
    headers = {"task": BURY_TASK, "id": "x"}
    for args in (["\0", "\ud800", "\0\ud800"], [], [{}, 1, None], ['{"named": {"source": 1', "x"]):
        worker.serve(element([args, {"task": 1}, None], headers=headers), Queue.BULK)
    assert len(rows(worker, tables.dead_letters)) == 4


def test_the_ledger_itself_counts(engine: Engine):
    with writing(engine) as connection:
        assert ledger.count_failure(connection, str(uuid.uuid4()), "ValueError") is None
