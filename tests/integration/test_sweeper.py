"""Which chunks a sweep publishes again, over a real Redis and both databases."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from iyu.schemas.broker.publisher import Publisher, make_app
from iyu.schemas.contract.message import Chunk, Queue, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import connected, reading, upgrade, writing
from iyu.worker.service.sweeper import sweep
from tests.harness.polling import poll
from tests.harness.services import RedisServer, child_environment

HOUR = timedelta(hours=1)


class Desk:
    """A ledger and a broker, and what a producer and workers do to them."""

    def __init__(self, settings: Settings, engine: Engine, client) -> None:
        self.settings = settings
        self.engine = engine
        self.client = client
        self.publisher = Publisher(make_app(settings), settings.broker)

    def publish(self, age: timedelta = HOUR, *, count: int = 1) -> list[str]:
        chunks = self.accept(age, count=count)
        self.publisher.publish(chunks)
        self.change(chunks, published_at=utc_now() - age)
        return [chunk.chunk_id for chunk in chunks]

    def accept(self, age: timedelta = HOUR, *, count: int = 1) -> list[Chunk]:
        chunks = [
            Chunk(new_id(), "test", (Review("1", "좋아요"),), utc_now() - age, purpose=Queue.BULK)
            for _ in range(count)
        ]
        with writing(self.engine) as connection:
            ledger.accept(connection, chunks)
        self.change(chunks, accepted_at=utc_now() - age)
        return chunks

    def change(self, chunks: list[Chunk], **values: object) -> None:
        ids = [chunk.chunk_id for chunk in chunks]
        with writing(self.engine) as connection:
            connection.execute(
                update(tables.chunks).where(tables.chunks.c.chunk_id.in_(ids)).values(values)
            )

    def sweep(self) -> int:
        return sweep(self.settings, self.engine, self.publisher)

    def waiting(self) -> list[str]:
        """Chunk ids in the queue, the next one first."""
        elements = self.client.lrange(Queue.BULK, 0, -1)
        return [json.loads(element)["headers"]["id"] for element in reversed(elements)]

    def take(self, index: int = -1) -> str:
        """Take an element out of the queue, wherever it stands; by default the next one."""
        element = self.client.lindex(Queue.BULK, index)
        self.client.lrem(Queue.BULK, 1, element)
        return element


@pytest.fixture
def desk(redis_server, database_url: str) -> Iterator[Desk]:
    settings = Settings(broker_url=redis_server.url, database_url=database_url, stale_after=10)
    with connected(database_url) as engine, redis_server.client() as client:
        upgrade(engine)
        yield Desk(settings, engine, client)


def test_what_waits_in_the_queue_is_left_alone_however_old(desk: Desk):
    desk.publish(5 * HOUR)
    desk.publish(2 * HOUR, count=3)
    assert desk.sweep() == 0


def test_what_an_empty_broker_does_not_hold_is_published_again_once(desk: Desk):
    lost = desk.publish(count=3)
    desk.client.flushall()
    assert desk.sweep() == 3
    assert desk.waiting() == lost
    assert desk.sweep() == 0


def test_what_was_published_just_now_is_given_time(desk: Desk):
    desk.publish(timedelta(0))
    desk.client.flushall()
    assert desk.sweep() == 0


def test_what_should_stand_before_the_next_one_is_lost(desk: Desk):
    lost, _ = desk.publish(3 * HOUR)[0], desk.publish(2 * HOUR)
    desk.take()
    assert desk.sweep() == 1
    assert desk.waiting()[-1] == lost


def test_what_a_worker_holds_is_left_alone(desk: Desk):
    desk.publish()
    element = desk.take()
    entry = json.dumps([json.loads(element), "", Queue.BULK])
    desk.client.hset("unacked", "tag", entry)
    assert desk.sweep() == 0
    desk.client.delete("unacked")
    assert desk.sweep() == 1


def test_what_a_killed_producer_did_not_publish_is_published(desk: Desk):
    [chunk] = desk.accept()
    assert desk.sweep() == 1
    assert desk.waiting() == [chunk.chunk_id]
    desk.take()
    desk.accept(timedelta(0))
    assert desk.sweep() == 0


def test_what_is_being_scored_is_left_alone_until_its_time_is_over(desk: Desk):
    [chunk] = desk.accept()
    with writing(desk.engine) as connection:
        assert ledger.begin(connection, chunk)
    assert desk.sweep() == 0
    desk.change([chunk], started_at=utc_now() - HOUR)
    assert desk.sweep() == 1


def test_behind_a_foreign_message_nothing_can_be_told(desk: Desk):
    desk.client.lpush(Queue.BULK, b"garbage")
    desk.accept()
    assert desk.sweep() == 0


def test_two_sweepers_at_once_publish_each_chunk_once(desk: Desk):
    lost = desk.publish(count=40)
    desk.client.flushall()
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(lambda _: desk.sweep(), range(2))) == 40
    assert sorted(desk.waiting()) == sorted(lost)


def test_a_producer_whose_clock_is_an_hour_ahead_does_not_blind_the_sweep(
    redis_server: RedisServer, postgres_url: str, tmp_path: Path
):
    """What decides is the database's clock, which the producer takes for its own."""
    settings = Settings(broker_url=redis_server.url, database_url=postgres_url, stale_after=0.2)
    with connected(postgres_url) as engine, redis_server.client() as client:
        upgrade(engine)
        (tmp_path / "reviews.csv").write_text("id,text\n1,좋아요\n2,별로예요\n")
        environment = child_environment(
            IYU_BROKER_URL=redis_server.url, IYU_DATABASE_URL=postgres_url
        )
        command = [sys.executable, "-m", "tests.harness.fast_clock", "submit", "reviews.csv"]
        submitted = subprocess.run(
            [*command, "--source", "test"], env=environment, cwd=tmp_path, check=False,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert submitted.returncode == 0, submitted.stderr
        with reading(engine) as connection:
            row = connection.execute(tables.chunks.select()).one()
        assert row.submitted_at < utc_now() + HOUR / 2
        client.flushall()
        publisher = Publisher(make_app(settings), settings.broker)
        poll(10, lambda: sweep(settings, engine, publisher))
        [element] = client.lrange(Queue.BULK, 0, -1)
        assert json.loads(element)["headers"]["id"] == row.chunk_id


def test_a_damaged_payload_stops_no_sweep_and_is_a_dead_letter(desk: Desk):
    damaged, whole = desk.accept(), desk.accept()
    desk.change(damaged, payload=b"\x00 no longer what it was")
    assert desk.sweep() == 1
    assert desk.waiting() == [whole[0].chunk_id]
    assert desk.sweep() == 0
    with reading(desk.engine) as connection:
        letters = connection.execute(select(tables.dead_letters)).all()
    assert [(x.reason, x.source, x.chunk_id) for x in letters] == [
        ("bad-message", "test", damaged[0].chunk_id)
    ]
