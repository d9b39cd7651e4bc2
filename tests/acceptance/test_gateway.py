"""`iyu gateway` as a process: what it answered 202 to is never lost, whatever happens to it."""

import json
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from iyu.schemas.contract.message import Queue, unpack
from iyu.schemas.sql.engine import connected, reading
from iyu.schemas.sql.tables import chunks
from tests.harness.gateway_server import Client
from tests.harness.polling import poll
from tests.harness.ports import own_port
from tests.harness.postgres_server import PostgresServer
from tests.harness.services import (
    Process,
    RedisServer,
    child_environment,
    is_listening,
    iyu_command,
    run_iyu,
)
from tests.harness.skipping import skip_without

pytestmark = pytest.mark.acceptance

TEXT = "배우는 좋은데 결말이 아쉽다"
READY_SECONDS = 90.0
#: What a shop's own program would be, with nothing but Node.
NODE = """
const zlib = require("zlib");
const [address, token] = process.argv.slice(2);
const headers = { authorization: `Bearer ${token}` };
const reviews = [["n/1", "배송이 빨라서 좋았어요"], ["n/2", "정말 지루하고 아까운 시간이었다"]];
const lines = reviews.map(([review_id, text]) => JSON.stringify({ review_id, text })).join("\\n");

async function main() {
  const posted = await fetch(`${address}/reviews`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/x-ndjson", "content-encoding": "gzip" },
    body: zlib.gzipSync(lines),
  });
  const { batch } = await posted.json();
  let state;
  do {
    await new Promise((resolve) => setTimeout(resolve, 200));
    state = await (await fetch(address + batch, { headers })).json();
  } while (!state.is_finished);
  const page = await (await fetch(`${address}/results?after=0`, { headers })).json();
  const erased = await fetch(`${address}/reviews/${encodeURIComponent("n/1")}`,
    { method: "DELETE", headers });
  console.log(JSON.stringify(
    { status: posted.status, state, results: page.results, erased: await erased.json() }));
}
main();
"""


class Gateways:
    """Starts gateways over one database, always on the same port."""

    def __init__(self, environment: dict[str, str], start: Callable[..., Process], folder: Path):
        self.environment = environment
        self.port = own_port(self)
        self._start = start
        self._folder = folder
        self.run("db", "upgrade")
        self.token = self.run("gateway", "tokens", "add", "shop", "--may", "submit", "--may",
                              "read", "--may", "forget").strip()  # fmt: skip

    def run(self, *arguments: str) -> str:
        done = run_iyu(*arguments, environment=self.environment, cwd=self._folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, **variables: str) -> Process:
        command = iyu_command("gateway", "--port", str(self.port))
        process = self._start(command, self.environment | variables)

        def is_ready() -> bool:
            assert process.running, process.output()
            return is_listening(self.port) and self.client.get("/health/live").status == 200

        poll(READY_SECONDS, is_ready)
        return process

    @property
    def client(self) -> Client:
        return Client(self.port, self.token)

    def in_ledger(self) -> set[str]:
        with (
            connected(self.environment["IYU_DATABASE_URL"]) as engine,
            reading(engine) as connection,
        ):
            payloads = connection.scalars(select(chunks.c.payload)).all()
        return {review.review_id for payload in payloads if payload for review in unpack(payload)}


@pytest.fixture
def gateways(environment, start, tmp_path: Path) -> Gateways:
    return Gateways(environment, start, tmp_path)


class Senders:
    """Programs that send one review after the other, and note which ones were accepted."""

    def __init__(self, client: Client, count: int = 4) -> None:
        self.accepted: set[str] = set()
        self._client = client
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(count)
        self._running = [self._pool.submit(self._send, number) for number in range(count)]

    def _send(self, sender: int) -> None:
        number = 0
        while not self._stop.is_set():
            key = f"{sender}-{number}"
            number += 1
            try:
                answer = self._client.post("/reviews", {"review_id": key, "text": TEXT})
            except (OSError, HTTPException):  # it is not there
                time.sleep(0.02)
                continue
            if answer.status == 202:
                self.accepted.add(key)

    def stop(self) -> set[str]:
        self._stop.set()
        for running in self._running:
            running.result(60)
        self._pool.shutdown()
        return self.accepted


@pytest.fixture
def senders(gateways: Gateways) -> Iterator[Callable[[], Senders]]:
    started: list[Senders] = []

    def start() -> Senders:
        started.append(Senders(gateways.client))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def test_every_202_is_in_the_ledger_although_the_gateway_was_killed(gateways, senders):
    process = gateways.start()
    sending = senders()
    for _ in range(3):
        enough = len(sending.accepted) + 50
        poll(60, lambda enough=enough: len(sending.accepted) >= enough)
        process.signal(signal.SIGKILL)
        process.wait(30)
        process = gateways.start()
    accepted = sending.stop()
    assert len(accepted) >= 150
    assert accepted <= gateways.in_ledger()


def test_sigterm_finishes_what_was_begun_and_publishes_it(gateways, senders, redis_server):
    process = gateways.start()
    sending = senders()
    poll(60, lambda: len(sending.accepted) >= 50)
    process.signal(signal.SIGTERM)
    assert process.wait(60) == 0, process.output()
    accepted = sending.stop()
    assert accepted <= gateways.in_ledger()
    with connected(gateways.environment["IYU_DATABASE_URL"]) as engine, reading(engine) as c:
        count = len(c.scalars(select(chunks.c.chunk_id)).all())
    with redis_server.client() as client:
        assert client.llen(Queue.LIVE) == count


def test_a_redis_that_is_down_keeps_nobody_from_being_accepted(gateways, redis_server: RedisServer):
    redis_server.kill()
    gateways.start()
    assert gateways.client.post("/reviews", {"review_id": "1", "text": TEXT}).status == 202
    assert gateways.in_ledger() == {"1"}
    assert gateways.client.get("/health").json == {"database": "ok", "broker": "down"}
    redis_server.restart()
    with redis_server.client() as client:
        poll(60, lambda: client.llen(Queue.LIVE) == 1)


def test_a_locked_database_is_503_and_then_202(redis_server, sqlite_url, start, tmp_path):
    environment = {"IYU_BROKER_URL": redis_server.url, "IYU_DATABASE_URL": sqlite_url}
    gateways = Gateways(child_environment(**environment), start, tmp_path)
    gateways.start()
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = gateways.client.post("/reviews", {"review_id": "1", "text": TEXT})
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert sqlite_url.partition(":///")[2] not in answer.body
    other.execute("ROLLBACK")
    other.close()
    assert gateways.client.post("/reviews", {"review_id": "1", "text": TEXT}).status == 202


def test_a_database_that_is_down_is_503_and_then_202(redis_server, start, tmp_path):
    server = PostgresServer()
    try:
        environment = {
            "IYU_BROKER_URL": redis_server.url,
            "IYU_DATABASE_URL": server.create_database(),
        }
        gateways = Gateways(child_environment(**environment), start, tmp_path)
        process = gateways.start()
        review = {"review_id": "1", "text": TEXT}
        assert gateways.client.post("/reviews", review).status == 202
        server.stop()
        answer = gateways.client.post("/reviews", review)
        assert (answer.status, "retry-after" in answer.headers) == (503, True)
        assert gateways.client.get("/results?after=0").status == 503
        poll(30, lambda: gateways.client.get("/health").status == 503)
        assert gateways.client.get("/health/live").status == 200
        server.start()
        poll(60, lambda: gateways.client.post("/reviews", review).status == 202)
        assert process.running
    finally:
        server.remove()


def test_logs_are_json_without_texts_and_tokens(gateways):
    process = gateways.start(IYU_LOG="json")
    gateways.client.post("/reviews", {"review_id": "1", "text": TEXT})
    gateways.client.post("/reviews", {"review_id": "secret id", "text": ""})
    Client(gateways.port, "iyu_00000000_wrong").get("/results?after=secret")
    gateways.client.request("DELETE", "/reviews/secret%20id")

    def lines() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in process.output().splitlines() if line[:1] == "{"]
        return [line for line in found if line["logger"] == "iyu.gateway.request"]

    poll(30, lambda: any(line["event"].startswith("DELETE") for line in lines()))
    found = {line["event"]: line for line in lines()}
    assert {"POST /reviews 202", "POST /reviews 422", "GET /results 401"} <= found.keys()
    assert found["POST /reviews 202"].keys() >= {"batch", "reviews", "seconds"}
    output = process.output()
    for secret in (TEXT, TEXT.encode("unicode-escape").decode(), "secret", "wrong",
                   gateways.token.split("_", 2)[2]):  # fmt: skip
        assert secret not in output


def test_others_reach_no_gateway_that_asks_for_no_token(gateways, tmp_path):
    command = ("gateway", "--host", "0.0.0.0", "--open-source", "shop")
    refused = run_iyu(*command, environment=gateways.environment, cwd=tmp_path)
    assert refused.returncode == 2
    [line] = refused.stderr.splitlines()
    assert "iyu gateway tokens add" in line


def test_tokens_are_made_listed_and_removed(gateways):
    made = gateways.run("gateway", "tokens", "add", "other", "--note", "CRM", "--days", "30")
    token_id = made.split("_")[1]
    listed = gateways.run("gateway", "tokens", "list")
    assert f"{token_id}  other  may read, submit" in listed
    assert made.strip().split("_", 2)[2] not in listed
    as_json = gateways.run("gateway", "tokens", "list", "--json").splitlines()
    [other] = [line for line in map(json.loads, as_json) if line["source"] == "other"]
    assert (other["note"], other["is_over"]) == ("CRM", False)
    gateways.run("gateway", "tokens", "remove", token_id)
    assert token_id not in gateways.run("gateway", "tokens", "list")


def test_a_program_in_node_submits_waits_reads_and_forgets(
    redis_server, sqlite_url, start, start_worker, tmp_path
):
    node = shutil.which("node")
    if node is None:
        skip_without("Node")
    variables = {
        "IYU_BROKER_URL": redis_server.url, "IYU_DATABASE_URL": sqlite_url, "IYU_MODEL": "source",
    }  # fmt: skip
    gateways = Gateways(child_environment(**variables), start, tmp_path)
    gateways.start()
    start_worker(gateways.environment)
    address = f"http://127.0.0.1:{gateways.port}"
    done = subprocess.run(
        [node, "-e", NODE, "program", address, gateways.token],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["status"] == 202
    assert (found["state"]["scored"], found["state"]["accepted"]) == (2, 2)
    labels = {line["review_id"]: line["label"] for line in found["results"]}
    assert labels == {"n/1": "positive", "n/2": "negative"}
    assert found["erased"] == {"stored": 1, "pending": 0, "letters": 0}
