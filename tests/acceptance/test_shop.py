"""A shop hands its table over and gets results back, while both sides are killed and fail."""

import json
import random
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text

from iyu.producer import Producer, Queue, Settings
from iyu.schemas.contract.review import utc_now
from iyu.schemas.sql.engine import connected, reading, upgrade
from tests.harness.polling import poll
from tests.harness.postgres_server import PostgresServer
from tests.harness.reviews import made
from tests.harness.services import RedisServer, child_environment, iyu_command, run_iyu
from tests.harness.webhook_receiver import Answer, Receiver

pytestmark = pytest.mark.acceptance

INSERTS, UPDATES, DELETES = 2_000, 150, 30
#: Seconds over which the shop's users do all that.
SHOP_SECONDS = 30.0
#: Seconds until both sides are equal on a busy machine.
CATCH_UP_SECONDS = 240.0


@dataclass
class Shop:
    """A table in PostgreSQL, and users who write, correct and delete reviews."""

    url: str
    texts: list[tuple[str, str]] = field(default_factory=lambda: made(INSERTS + UPDATES))

    def create(self) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "CREATE TABLE shop_reviews (id bigint PRIMARY KEY, body text NOT NULL, "
                "updated_at timestamptz NOT NULL DEFAULT clock_timestamp(), deleted_at timestamptz)"
            )
            connection.execute("CREATE INDEX ON shop_reviews (updated_at, id)")

    def live_through_the_day(self) -> None:
        """Do everything in a random order that makes sense, spread over SHOP_SECONDS."""
        chance = random.Random(7)
        steps = self._steps(chance)
        began, pause = time.monotonic(), threading.Event()
        with psycopg.connect(self.url, autocommit=True) as connection:
            for number, (statement, values) in enumerate(steps):
                due = began + SHOP_SECONDS * number / len(steps)
                pause.wait(max(0.0, due - time.monotonic()))
                connection.execute(statement, values)

    def _steps(self, chance: random.Random) -> list[tuple[Any, tuple[Any, ...]]]:
        inserts: list[tuple[Any, tuple[Any, ...]]] = [
            ("INSERT INTO shop_reviews (id, body) VALUES (%s, %s)", (key, self.texts[key][1]))
            for key in range(INSERTS)
        ]
        steps = list(inserts)
        chosen = chance.sample(range(INSERTS - 200), UPDATES + DELETES)
        for number, key in enumerate(chosen):
            after = chance.randrange(key + 1 + number, len(steps) + 1)
            steps.insert(max(after, steps.index(inserts[key]) + 1), self._change(number, key))
        return steps

    def _change(self, number: int, key: int) -> tuple[Any, tuple[Any, ...]]:
        if number < UPDATES:
            return (
                "UPDATE shop_reviews SET body = %s, updated_at = clock_timestamp() WHERE id = %s",
                (self.texts[INSERTS + number][1], key),
            )
        if number % 2:
            return (
                "UPDATE shop_reviews SET deleted_at = clock_timestamp(), "
                "updated_at = clock_timestamp() WHERE id = %s",
                (key,),
            )
        return ("DELETE FROM shop_reviews WHERE id = %s", (key,))

    def rows(self) -> dict[str, tuple[str, datetime]]:
        """The reviews that are there, and when each was written last."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute(
                "SELECT id::text, body, updated_at FROM shop_reviews WHERE deleted_at IS NULL"
            )
            return {key: (body, at) for key, body, at in found}


@dataclass
class Crm:
    """A receiver of webhooks that is out of order at one call of twenty."""

    came_at: list[datetime] = field(default_factory=list)
    receiver: Receiver = field(init=False)

    def __post_init__(self) -> None:
        self.receiver = Receiver(self.answer)

    def answer(self, number: int) -> Answer:
        self.came_at.append(utc_now())
        return (503, {}) if self.fails(number) else (204, {})

    @staticmethod
    def fails(number: int) -> bool:
        return number % 20 == 2

    def taken(self, secret: str) -> list[tuple[dict[str, Any], datetime]]:
        """Every line of every call that was answered with 204, verified, and when it came."""
        found = []
        for number, call in enumerate(list(self.receiver.calls)):
            message = call.verify(secret)
            if not self.fails(number):
                found += [(line, self.came_at[number]) for line in message["data"]["results"]]
        return found


@pytest.fixture
def environment(redis_server: RedisServer, postgres_url: str) -> dict[str, str]:
    return child_environment(
        IYU_BROKER_URL=redis_server.url,
        IYU_DATABASE_URL=postgres_url,
        IYU_MODEL="source",
        IYU_WEBHOOKS_ALLOW_PRIVATE="true",
    )


@pytest.fixture
def iyu_side(postgres_url: str) -> Iterator[Engine]:
    with connected(postgres_url) as engine:
        upgrade(engine)
        yield engine


@pytest.fixture
def shop(postgres: PostgresServer) -> Iterator[Shop]:
    shop = Shop(postgres.create_database())
    shop.create()
    yield shop
    postgres.drop_database(shop.url)


@pytest.fixture
def crm() -> Iterator[Crm]:
    crm = Crm()
    crm.receiver.start()
    yield crm
    crm.receiver.stop()


def query(engine: Engine, statement: str) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(text(statement)))


def test_both_sides_are_equal_at_the_end(
    environment, iyu_side, shop, crm, start, start_worker, tmp_path, capsys
):
    added = run_iyu(
        "webhooks", "add", crm.receiver.url, "--source", "shop", "--label", "negative",
        environment=environment, cwd=tmp_path,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    secret = added.stdout.split("secret: ")[1].split()[0]
    worker = start_worker(environment)
    # A killed ingestion may leave chunks that are accepted and not published yet.
    start(iyu_command("beat"), environment)
    poll(CATCH_UP_SECONDS, lambda: "is ready" in worker.output())  # its model is loaded

    def ingest():
        return start(
            iyu_command("ingest", "--from", shop.url, "--table", "shop_reviews", "--id", "id",
                        "--text", "body", "--changed", "updated_at", "--deleted", "deleted_at",
                        "--source", "shop", "--follow", "1s", "--mirror"),
            environment,
        )  # fmt: skip

    def call():
        return start(iyu_command("webhooks", "run"), environment)

    ingesting, calling = ingest(), call()
    day = threading.Thread(target=shop.live_through_the_day)
    day.start()
    handed_over = "SELECT COALESCE(SUM(review_count), 0) FROM chunks"
    poll(120, lambda: query(iyu_side, handed_over)[0][0] > INSERTS // 4)
    ingesting.kill_group()
    ingesting = ingest()
    poll(120, lambda: len(crm.receiver.calls) > 3)
    calling.kill_group()
    crm.receiver.stop()
    holder = query(iyu_side, "SELECT leased_by FROM webhooks")
    calling = call()
    poll(120, lambda: query(iyu_side, "SELECT leased_by FROM webhooks") != holder)
    crm.receiver.start()
    day.join(4 * SHOP_SECONDS)

    def here() -> dict[str, str]:
        rows = query(iyu_side, "SELECT review_id, text FROM review_scores WHERE source = 'shop'")
        return {row.review_id: row.text for row in rows}

    there = {key: body for key, (body, _) in shop.rows().items()}
    assert len(there) == INSERTS - DELETES
    poll(CATCH_UP_SECONDS, lambda: here() == there, every=0.5)
    negatives = {
        row.review_id
        for row in query(iyu_side, "SELECT review_id FROM review_scores WHERE label = 0")
    }
    assert negatives

    def delivered() -> set[str]:
        return {line["review_id"] for line, _ in crm.taken(secret)}

    poll(CATCH_UP_SECONDS, lambda: negatives <= delivered(), every=0.5)
    assert ingesting.running
    assert calling.running
    assert query(iyu_side, "SELECT * FROM resubmissions") == []
    with capsys.disabled():
        print(_delays(shop, crm, secret, negatives))  # noqa: T201 - a figure to read


def _delays(shop: Shop, crm: Crm, secret: str, negatives: set[str]) -> str:
    """From the row's last change in the shop to its call."""
    written = {key: at for key, (_, at) in shop.rows().items()}
    first: dict[str, float] = {}
    for line, came_at in crm.taken(secret):
        key = line["review_id"]
        if key in negatives and came_at > written[key]:
            first.setdefault(key, (came_at - written[key]).total_seconds())
    calls = len(crm.receiver.calls)
    return (
        f"\nshop: {len(negatives):,} negatives in {calls:,} calls, from row to call "
        f"median {statistics.median(first.values()):.1f} s, worst {max(first.values()):.1f} s"
    )


REVIEWS_OF_THE_FEED = 12_000


def test_a_reader_of_the_feed_misses_nothing_while_two_processes_write(
    environment, iyu_side, start, start_worker
):
    reader = start(iyu_command("results", "--consumer", "crm", "--follow"), environment)
    start_worker(environment, "--concurrency", "2")
    settings = Settings(
        broker_url=environment["IYU_BROKER_URL"], database_url=environment["IYU_DATABASE_URL"]
    )
    with Producer(settings, source="shop", queue=Queue.BULK) as producer:
        producer.submit_many((n, f"{n}번째 {words}") for n, (_, words) in _numbered())

    def count() -> int:
        return int(query(iyu_side, "SELECT COUNT(*) FROM review_scores")[0][0])

    poll(CATCH_UP_SECONDS, lambda: count() == REVIEWS_OF_THE_FEED, every=0.5)
    poll(60, lambda: reader.output().count("\n") >= REVIEWS_OF_THE_FEED)
    lines = [json.loads(line) for line in reader.output().splitlines()]
    scored = [line["review_id"] for line in lines if line["kind"] == "scored"]
    assert sorted(map(int, scored)) == list(range(REVIEWS_OF_THE_FEED))
    assert len({line["event_id"] for line in lines}) == len(lines)


def _numbered() -> Iterator[tuple[int, tuple[str, str]]]:
    texts = made(1_000)
    return ((n, texts[n % 1_000]) for n in range(REVIEWS_OF_THE_FEED))
