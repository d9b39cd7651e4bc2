"""Reviews are forgotten while they are submitted, scored and rescored, and workers are killed.

Not one of them is in any table afterwards, and the daily words are those of the others.
"""

import logging
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import pytest
from sqlalchemy import Engine, func, select, text

from iyu.console.operations.forget_reviews import find_all_traces
from iyu.producer.producer import Producer
from iyu.schemas.contract.message import Queue, unpack
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import progress
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import connect, reading, upgrade
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from tests.harness.polling import poll
from tests.harness.reviews import made
from tests.harness.services import Process, RedisServer, child_environment, iyu_command, run_iyu
from tests.soak.sums import (
    Sums,
    over_all_days,
    recomputed,
    recounted,
    stored_sums,
    sums_without,
)

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]
log = logging.getLogger(__name__)

#: Reviews of one run; every tenth is forgotten.
REVIEWS: Final = int(os.environ.get("IYU_SOAK_REVIEWS", "100000"))
KILLS: Final = int(os.environ.get("IYU_SOAK_KILLS", "4"))  # of the worker, and of campaigns
PORTION: Final = 500
#: A word that stands in forgotten reviews alone, and what their ids begin with.
WORD: Final = "zqxforget"
GONE: Final = "gone-"
#: Seconds until everything is scored, on a machine that is busy.
PATIENCE: Final = 1800.0
SETTINGS: Final = {
    "IYU_MODEL": "source",
    "IYU_VISIBILITY_TIMEOUT": "60",
    "IYU_TASK_TIME_LIMIT": "45",
    "IYU_SWEEP_EVERY": "2",
    "IYU_STALE_AFTER": "10",
    "IYU_CHUNK_SIZE": "256",
    "IYU_HIGH_WATER": "2000",
}


@pytest.fixture
def contrary(tmp_path: Path) -> Path:
    """A model that says the opposite of the shipped one."""
    from iyu.worker.model import artifact

    shipped = artifact.load("source")
    dense = shipped.keras_model.get_layer("probability")
    dense.set_weights([-weights for weights in dense.get_weights()])
    folder = tmp_path / "contrary"
    artifact.save(folder, shipped.keras_model, shipped.vocabulary, shipped.manifest)
    return folder


@dataclass
class Site:
    """One installation under load."""

    engine: Engine
    environment: dict[str, str]
    redis: RedisServer
    start: Callable[..., Process]
    model: Path  # what stored reviews are rescored by
    cwd: Path

    def producer(self) -> Producer:
        settings = Settings(
            broker_url=self.redis.url, database_url=self.environment["IYU_DATABASE_URL"],
            chunk_size=256, high_water=2_000,
        )  # fmt: skip
        return Producer(settings, source="shop", queue=Queue.BULK)

    def worker(self) -> Process:
        return self.start(iyu_command("worker", "--concurrency", "1"), self.environment)

    def rescoring(self) -> Process:
        command = iyu_command("rescore", "--model", str(self.model), "--work", "--json")
        return self.start(command, self.environment)

    def rescore(self) -> None:
        """Rescore to the end what is left."""
        done = run_iyu(
            "rescore", "--model", str(self.model), "--work", "--json",
            environment=self.environment, cwd=self.cwd, timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def models_of_gone(self) -> dict[str, int]:
        """How many models have scored each review that is to be forgotten."""
        p = tables.predictions.c
        query = select(p.review_id, func.count()).where(p.review_id.like(f"{GONE}%"))
        with reading(self.engine) as connection:
            rows = connection.execute(query.group_by(p.review_id)).all()
        return {str(key): int(n) for key, n in rows}

    def rescored(self) -> int:
        """Rows of any model but the first."""
        return sum(sorted(self.rows_by_model())[:-1])

    def has_reviews_to_rescore(self) -> bool:
        rows = self.rows_by_model()
        return bool(rows) and max(rows) > 500 + self.rescored()

    def rows_by_model(self) -> list[int]:
        p = tables.predictions.c
        query = select(func.count()).select_from(tables.predictions).group_by(p.model_version)
        with reading(self.engine) as connection:
            return list(connection.scalars(query))

    def is_idle(self) -> bool:
        with reading(self.engine) as connection, self.redis.client() as client:
            waiting = sum(client.llen(name) for name in Queue)
            return not (progress.pending(connection) or waiting or client.hlen("unacked"))


@pytest.fixture
def site(
    redis_server: RedisServer,
    postgres_url: str,
    start: Callable[..., Process],
    contrary: Path,
    tmp_path: Path,
) -> Iterator[Site]:
    engine = connect(postgres_url)
    upgrade(engine)
    environment = child_environment(
        IYU_BROKER_URL=redis_server.url,
        IYU_DATABASE_URL=postgres_url,
        IYU_HEARTBEAT_FILE=str(tmp_path / "heartbeat"),
        **SETTINGS,
    )
    yield Site(engine, environment, redis_server, start, contrary, tmp_path)
    engine.dispose()


def all_reviews() -> list[tuple[str, str]]:
    """Every tenth will be forgotten; its text holds a word that no other has."""
    return [
        (f"{GONE}{n}", f"{words} {WORD}") if n % 10 == 0 else (key, words)
        for n, (key, words) in enumerate(made(REVIEWS))
    ]


def moment_of(review_id: str) -> int:
    """When a review is forgotten: 0 at once, 1 when it is stored, 2 when it is rescored."""
    return int(review_id.removeprefix(GONE)) // 10 % 3


def test_what_is_forgotten_under_load_is_in_no_table(site: Site):
    reviews, begin = all_reviews(), time.monotonic()
    gone = [key for key, _ in reviews if key.startswith(GONE)]
    kept = [key for key, _ in reviews if not key.startswith(GONE)]
    site.start(iyu_command("beat"), site.environment)
    worker = site.worker()
    with forgetting(site, gone) as (submitted, erased), killing(site, worker) as kills:
        with site.producer() as producer:
            for at in range(0, len(reviews), PORTION):
                portion = reviews[at : at + PORTION]
                producer.submit_many(portion)
                submitted.extend(key for key, _ in portion if key.startswith(GONE))
        poll(PATIENCE, site.is_idle, every=0.5)
        poll(PATIENCE, lambda: min(kills.values()) >= KILLS, every=0.5)
        site.rescore()
    site.rescore()  # of what came while the last ones were forgotten
    poll(PATIENCE, site.is_idle, every=0.5)
    worker.signal(signal.SIGTERM)
    worker.wait(120)
    add_all_deltas(site.engine)
    log.info(
        "%d reviews, %d forgotten (%s), kills: %s, %.0f s",
        len(reviews), len(gone), dict(erased), dict(kills), time.monotonic() - begin,
    )  # fmt: skip
    assert min(erased["stored"], erased["pending"]) > 0, erased
    assert find_all_traces(site.engine, "shop", gone) == {}
    assert places_that_hold(site.engine, WORD) == {}
    assert places_that_hold(site.engine, GONE).keys() == {"result_events"}, "their ids, until prune"
    assert site.rows_by_model() == [len(kept)] * 2, "every other review, by both models"
    words = stored_sums(site.engine)
    for other in (recomputed(site.engine), recounted(site.engine)):
        assert words.keys() == other.keys()
        assert all(words[word] == pytest.approx(other[word], abs=1e-3) for word in words)
    log.info("%.0f s: the sums are those of what is stored", time.monotonic() - begin)
    others = [review for review in reviews if not review[0].startswith(GONE)]
    database = f"sqlite:///{site.cwd / 'others.db'}"
    assert_alike(words, sums_without(others, ["source", str(site.model)], database))
    log.info("%.0f s: and those of a database that never saw them", time.monotonic() - begin)


def assert_alike(words: Sums, unaware: Sums) -> None:
    """Compare with another database's sums, day aside: midnight may come in between."""
    ours, theirs = over_all_days(words), over_all_days(unaware)
    assert ours.keys() == theirs.keys()
    for word, (reviews, occurrences, heat, *positive) in ours.items():
        assert (reviews, occurrences) == theirs[word][:2]
        # In other batches the last digits of a score are others, and 0.5 may lie between.
        assert heat == pytest.approx(theirs[word][2], rel=1e-4, abs=1e-2)
        assert positive == pytest.approx(theirs[word][3:], rel=1e-4, abs=1)


@contextmanager
def forgetting(site: Site, gone: list[str]) -> Iterator[tuple[list[str], Counter[str]]]:
    """Forget what was submitted: waiting, being scored, stored, rescored; at the end all of it."""
    submitted: list[str] = []
    erased: Counter[str] = Counter()
    failures: list[BaseException] = []
    over = threading.Event()

    def forget(producer: Producer, ids: Iterable[str]) -> None:
        found = producer.forget(ids)
        erased.update(stored=found.stored, pending=found.pending)

    def work() -> None:
        forgotten: set[str] = set()
        try:
            with site.producer() as producer:
                while not over.wait(0.2):
                    models = site.models_of_gone()
                    ids = [
                        key
                        for key in list(submitted)
                        if key not in forgotten and models.get(key, 0) >= moment_of(key)
                    ][:50]
                    forget(producer, ids)
                    forgotten.update(ids)
                forget(producer, gone)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield submitted, erased
    finally:
        over.set()
        thread.join()
    assert not failures, failures


@contextmanager
def killing(site: Site, worker: Process) -> Iterator[Counter[str]]:
    """Kill the scoring children of the worker and of a campaign beside it, at random moments."""
    kills = Counter({"live": 0, "rescoring": 0})
    over, chance = threading.Event(), random.Random(11)

    def kill() -> None:
        while not over.is_set() and min(kills.values()) < KILLS:
            if kills["live"] < KILLS and not over.wait(chance.uniform(2, 10)):
                kills["live"] += kill_scoring_child(worker)
            if kills["rescoring"] < KILLS and site.has_reviews_to_rescore():
                kills["rescoring"] += kill_campaign(site, over)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield kills
    finally:
        over.set()
        killer.join()


def kill_campaign(site: Site, over: threading.Event) -> bool:
    """Kill the child of a campaign that has begun to store, and let the campaign end."""
    campaign, before = site.rescoring(), site.rescored()
    while campaign.running and site.rescored() == before and not over.wait(0.1):
        pass
    killed = kill_scoring_child(campaign)
    while campaign.running and not over.wait(0.5):
        pass
    if campaign.running:
        campaign.signal(signal.SIGTERM)
        campaign.wait(120)
    return killed


def kill_scoring_child(process: Process) -> bool:
    """Kill the youngest process below, in which a model is; False if there is none."""
    with suppress(psutil.NoSuchProcess):
        below = psutil.Process(process.pid).children(recursive=True)
        for child in sorted(below, key=lambda p: p.create_time(), reverse=True)[:1]:
            child.kill()
            return True
    return False


def places_that_hold(engine: Engine, words: str) -> dict[str, int]:
    """Rows of every table in whose text form, payloads unpacked, these words stand."""
    found: Counter[str] = Counter()
    with reading(engine) as connection:
        for table in tables.metadata.sorted_tables:
            query = text(f"SELECT COUNT(*) FROM {table.name} AS t WHERE t::text LIKE :words")
            rows = connection.execute(query, {"words": f"%{words}%"}).scalar_one()
            found[table.name] += rows
        for payload in connection.scalars(select(tables.chunks.c.payload)):
            found["chunks"] += words in str(unpack(payload)) if payload else 0
        for payload in connection.scalars(select(tables.day_deltas.c.payload)):
            found["day_deltas"] += words in payload.decode()
    return {place: rows for place, rows in found.items() if rows}
