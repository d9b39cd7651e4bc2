"""`IYU_LOG=json` with real processes: every line is an object, none holds a review or a secret."""

import json
from typing import Any

import pytest

from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.settings import Settings
from iyu.schemas.results.events import Kind, record
from iyu.schemas.sql.engine import connected, writing
from tests.acceptance.faults.system import READY_SECONDS, SETTINGS
from tests.harness.polling import poll
from tests.harness.services import Process, child_environment, iyu_command, run_iyu

pytestmark = pytest.mark.acceptance

TEXT = "배우는 좋은데 결말이 아쉽다"


def objects(process: Process) -> list[dict[str, Any]]:
    """What a process wrote; a line that is no JSON object fails."""
    lines = [line for line in process.output().splitlines() if line.strip()]
    found = [json.loads(line) for line in lines]
    assert all(isinstance(one, dict) for one in found)
    return found


def test_webhooks_log_objects_too(sqlite_url: str, start, tmp_path):
    environment = child_environment(
        IYU_DATABASE_URL=sqlite_url, IYU_LOG="json", IYU_WEBHOOKS_ALLOW_PRIVATE="true"
    )
    assert run_iyu("db", "upgrade", environment=environment, cwd=tmp_path).returncode == 0
    # Nobody listens there.
    added = run_iyu("webhooks", "add", "http://127.0.0.1:9/", "--from-beginning",
                    environment=environment, cwd=tmp_path)  # fmt: skip
    assert added.returncode == 0, added.stderr
    with connected(sqlite_url) as engine, writing(engine) as connection:
        record(connection, Kind.ERASED, "shop", ["1"])
    process = start(iyu_command("webhooks", "run"), environment)
    poll(60, lambda: [one for one in objects(process) if one["logger"] == "iyu.webhooks"])
    assert added.stdout.split("secret: ")[1].split()[0] not in process.output()


def test_every_line_is_an_object_and_a_chunk_is_one(redis_server, sqlite_url: str, start, tmp_path):
    environment = child_environment(
        IYU_BROKER_URL=redis_server.url,
        IYU_DATABASE_URL=sqlite_url,
        IYU_HEARTBEAT_FILE=str(tmp_path / "iyu.heartbeat"),
        IYU_LOG="json",
        **SETTINGS,
    )
    assert run_iyu("db", "upgrade", environment=environment, cwd=tmp_path).returncode == 0
    (tmp_path / "few.csv").write_text(f"id,text\n1,{TEXT}\n2,{TEXT}\n", encoding="utf-8")
    submitted = run_iyu(
        "submit", "few.csv", "--id-column", "id", "--text-column", "text", "--source", "s",
        environment=environment, cwd=tmp_path,
    )  # fmt: skip
    assert submitted.returncode == 0, submitted.stderr
    with redis_server.client() as client:
        client.lpush(Queue.BULK, "broken")
    worker = start(iyu_command("worker", "--concurrency", "1"), environment)
    beat = start(iyu_command("beat"), environment)

    def done() -> list[dict[str, Any]]:
        assert worker.running, worker.output()
        return [one for one in objects(worker) if one["event"] == "chunk done"]

    [line] = poll(READY_SECONDS, done)
    assert line["reviews"] == 2
    assert line["attempts"] == 1
    assert line["seconds"] > 0
    assert {"time", "level", "logger", "chunk", "batch", "queue"} <= line.keys()
    poll(30, lambda: [one for one in objects(worker) if "(bad-message)" in one["event"]])
    redis_server.kill()
    poll(60, lambda: [one for one in objects(beat) if "sweep could not be sent" in one["event"]])
    secret = Settings(broker_url=redis_server.url).broker.split("@")[0].rpartition(":")[2]
    for output in (worker.output(), beat.output()):
        assert TEXT not in output
        assert TEXT.encode("unicode-escape").decode() not in output
        assert secret not in output
