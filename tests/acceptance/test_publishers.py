"""Publishers that have no iyu: what they publish becomes the rows of the Python producer."""

import json
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine, text

from iyu.producer import Producer, Queue, Settings
from iyu.schemas.sql.engine import connected, reading, upgrade
from tests.harness.polling import poll
from tests.harness.reviews import made
from tests.harness.services import ROOT, RedisServer, child_environment
from tests.harness.skipping import skip_without

pytestmark = pytest.mark.acceptance

REVIEWS = made(200)
SCORED_SECONDS = 120.0
NPM_SECONDS = 240

CELERY = """
import json, os, sys, uuid
from datetime import datetime, timezone
from celery import Celery

app = Celery(broker=os.environ["BROKER"])
chunk_id = str(uuid.uuid4())
app.send_task(
    "worker.tasks.score_chunk",
    args=[chunk_id, json.load(sys.stdin)],
    kwargs={"source": "celery", "submitted_at": datetime.now(timezone.utc).isoformat()},
    task_id=chunk_id,
    queue="reviews.bulk",
)
assert "iyu" not in sys.modules
"""
CELERY_NODE = """
const celery = require("celery-node");
const { randomUUID } = require("crypto");
const reviews = JSON.parse(require("fs").readFileSync(0, "utf8"));
const client = celery.createClient(process.env.BROKER, process.env.BROKER, "reviews.bulk");
const id = randomUUID();
client.isReady().then(() => {
  client.sendTask("worker.tasks.score_chunk", [id, reviews],
    { source: "celery-node", submitted_at: new Date().toISOString() }, id);
  setTimeout(() => process.exit(0), 1000);
});
"""
IOREDIS = """
const Redis = require("ioredis");
const { randomUUID } = require("crypto");
const reviews = JSON.parse(require("fs").readFileSync(0, "utf8"));
const redis = new Redis(process.env.BROKER);
const id = randomUUID();
const body = [[id, reviews], { source: "ioredis", submitted_at: new Date().toISOString() }, null];
redis.lpush("reviews.bulk", JSON.stringify({
  "body": Buffer.from(JSON.stringify(body)).toString("base64"),
  "content-type": "application/json",
  "content-encoding": "utf-8",
  "headers": { "task": "worker.tasks.score_chunk", "id": id },
  "properties": { "body_encoding": "base64" },
})).then(() => redis.quit());
"""


#: Programs that docs/message.md prints whole, by language: what runs them, and the file's name.
PRINTED = {"java": "Publish.java", "php": "publish.php"}


@pytest.fixture
def environment(redis_server: RedisServer, sqlite_url: str) -> dict[str, str]:
    return child_environment(
        IYU_BROKER_URL=redis_server.url, IYU_DATABASE_URL=sqlite_url, IYU_MODEL="source"
    )


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    with connected(sqlite_url) as engine:
        upgrade(engine)
        yield engine


@pytest.fixture
def outside(environment: dict[str, str], tmp_path: Path) -> Callable[..., None]:
    """Run a program that knows only the broker's address; the reviews are its standard input."""
    foreign = {k: v for k, v in environment.items() if not k.startswith(("IYU_", "PYTHONPATH"))}
    foreign["BROKER"] = foreign["IYU_BROKER_URL"] = environment["IYU_BROKER_URL"]
    foreign["REDISCLI_AUTH"] = urlsplit(foreign["BROKER"]).password or ""

    def run(*command: str, given: str | None = None) -> None:
        done = subprocess.run(
            command, input=given if given is not None else json.dumps(REVIEWS),
            env=foreign, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    return run


@pytest.fixture
def node_modules(tmp_path: Path) -> None:
    """celery-node and ioredis, in the folder where programs run."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        skip_without("Node.js with npm")
    command = [npm, "install", "--no-audit", "--no-fund", "celery-node@0.5.9", "ioredis@5"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=NPM_SECONDS
    )
    if done.returncode:
        skip_without("a package registry for npm")


def submit_by_producer(environment: dict[str, str]) -> None:
    settings = Settings(
        broker_url=environment["IYU_BROKER_URL"], database_url=environment["IYU_DATABASE_URL"]
    )
    with Producer(settings, source="python", queue=Queue.BULK) as producer:
        producer.submit_many(REVIEWS)


def rows(engine: Engine, source: str) -> list[tuple[Any, ...]]:
    query = """
    SELECT review_id, text, probability, label, surface, start, "end", heat
    FROM token_heat JOIN reviews USING (source, review_id)
    WHERE source = :source ORDER BY review_id, method, position
    """
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query), {"source": source})]


def assert_same_rows(engine: Engine, *sources: str) -> None:
    def scored(source: str) -> int:
        with reading(engine) as connection:
            query = text("SELECT COUNT(*) FROM review_scores WHERE source = :source")
            return int(connection.execute(query, {"source": source}).scalar_one())

    for source in ("python", *sources):
        poll(SCORED_SECONDS, lambda source=source: scored(source) == len(REVIEWS))
    expected = rows(engine, "python")
    assert len(expected) > len(REVIEWS)
    for source in sources:
        assert rows(engine, source) == expected, source


def envelope(source: str) -> str:
    """The smallest message that is accepted, as docs/message.md gives it."""
    chunk_id = str(uuid.uuid4())
    body = [
        [chunk_id, REVIEWS],
        {"source": source, "submitted_at": "2026-05-01T12:00:00+09:00"},
        None,
    ]
    return json.dumps(
        {
            "body": json.dumps(body, ensure_ascii=False),
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": {"task": "worker.tasks.score_chunk", "id": chunk_id},
            "properties": {},
        },
        ensure_ascii=False,
    )


def test_plain_celery_and_redis_cli(environment, engine, outside, start_worker):
    if shutil.which("redis-cli") is None:
        skip_without("redis-cli")
    submit_by_producer(environment)
    outside(sys.executable, "-P", "-c", CELERY)
    broker = urlsplit(environment["IYU_BROKER_URL"])
    outside(
        "redis-cli", "-e", "-h", str(broker.hostname), "-p", str(broker.port), "-x",
        "LPUSH", "reviews.bulk", given=envelope("redis-cli"),
    )  # fmt: skip
    start_worker(environment)
    assert_same_rows(engine, "celery", "redis-cli")


def test_celery_node_and_ioredis(environment, engine, outside, node_modules, start_worker):
    submit_by_producer(environment)
    outside("node", "-e", CELERY_NODE)
    outside("node", "-e", IOREDIS)
    start_worker(environment)
    assert_same_rows(engine, "celery-node", "ioredis")


def test_java_and_php_as_the_page_prints_them(
    environment, engine, outside, start_worker, tmp_path: Path
):
    there = [language for language in PRINTED if shutil.which(language)]
    submit_by_producer(environment)
    for language in there:
        program = tmp_path / PRINTED[language]
        program.write_text(printed(language).replace("shop", language), encoding="utf-8")
        rows_of_a_file = "".join(f"{key}\t{words}\n" for key, words in REVIEWS)
        outside(language, str(program), given=rows_of_a_file)
    if there:
        start_worker(environment)
        assert_same_rows(engine, *there)
    if missing := PRINTED.keys() - there:
        skip_without(" and ".join(sorted(missing)))


@pytest.mark.parametrize("language", PRINTED)
def test_a_refusal_of_redis_ends_a_printed_program(
    environment, outside, tmp_path: Path, language: str
):
    if shutil.which(language) is None:
        skip_without(language)
    program = tmp_path / PRINTED[language]
    text = printed(language).replace("LPUSH", "LPUSHX no such command")
    program.write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError, match="ERR unknown command"):
        outside(language, str(program), given="1\t좋아요\n")


def printed(language: str) -> str:
    """The program of a language on the page about messages."""
    page = (ROOT / "docs" / "message.md").read_text(encoding="utf-8")
    [program] = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return program
