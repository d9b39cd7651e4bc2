import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select

from iyu.producer import outbox as outbox_module
from iyu.producer.batch import Batch
from iyu.producer.outbox import Outbox
from iyu.schemas.contract.errors import DatabaseUnavailable
from iyu.schemas.contract.message import Chunk, Queue, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.sql.engine import connect, reading, upgrade, writing
from iyu.schemas.sql.tables import batches, chunks
from tests.harness.fakes import FakeBroker


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path}/iyu.db")
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def lose_an_answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let the next transaction be committed, and its answer be lost."""
    losses: list[bool] = []

    @contextmanager
    def writing_in_vain(engine: Engine) -> Iterator[Connection]:
        with writing(engine) as connection:
            yield connection
        if losses:
            losses.pop()
            raise DatabaseUnavailable("the connection broke after the commit")

    monkeypatch.setattr(outbox_module, "writing", writing_in_vain)
    return lambda: losses.append(True)


def new_batch() -> Batch:
    return Batch("test", "python", Queue.BULK)


def new_chunks(batch: Batch, count: int = 1) -> list[Chunk]:
    return [
        Chunk(new_id(), "test", (Review(str(n), "굳"),), utc_now(), batch.batch_id)
        for n in range(count)
    ]


def rows(engine: Engine, table=chunks) -> list:
    with reading(engine) as connection:
        return list(connection.execute(select(table)))


def test_opening_a_batch_marks_what_was_published_before(engine: Engine):
    outbox, batch = Outbox(FakeBroker(), engine, 0.0), new_batch()
    outbox.open(batch)
    outbox.send(batch, new_chunks(batch, 3))
    outbox.open(new_batch())
    outbox.settle(batch)
    assert all(row.published_at for row in rows(engine))


def test_opening_a_batch_while_another_one_is_published_forgets_nothing(engine: Engine):
    is_publishing, may_go_on = threading.Event(), threading.Event()

    class SlowBroker(FakeBroker):
        def publish(self, chunk: Chunk) -> None:
            if self.published:
                is_publishing.set()
                may_go_on.wait(10)
            super().publish(chunk)

    outbox, batch = Outbox(SlowBroker(), engine, 0.0), new_batch()
    outbox.open(batch)
    sending = threading.Thread(target=outbox.send, args=(batch, new_chunks(batch, 2)))
    opening = threading.Thread(target=outbox.open, args=(new_batch(),))
    sending.start()
    assert is_publishing.wait(10)
    opening.start()
    opening.join(0.2)  # time enough to do harm, if it does not wait for its turn
    may_go_on.set()
    sending.join(10)
    opening.join(10)
    outbox.settle(batch)
    assert all(row.published_at for row in rows(engine))
    assert len(rows(engine, batches)) == 2


def test_a_batch_whose_answer_was_lost_is_opened_once(engine: Engine, lose_an_answer):
    lose_an_answer()
    batch = new_batch()
    Outbox(FakeBroker(), engine, patience=5.0).open(batch)
    assert [row.batch_id for row in rows(engine, batches)] == [batch.batch_id]


def test_chunks_whose_answer_was_lost_are_accepted_once_by_the_next_call(
    engine: Engine, lose_an_answer
):
    broker, batch = FakeBroker(), new_batch()
    outbox = Outbox(broker, engine, patience=0.0)
    outbox.open(batch)
    unsent = new_chunks(batch, 2)
    lose_an_answer()
    with pytest.raises(DatabaseUnavailable):
        outbox.send(batch, unsent)
    assert len(unsent) == 2
    outbox.send(batch, unsent)
    assert unsent == []
    assert len(rows(engine)) == len(broker.published) == batch.chunks == 2
