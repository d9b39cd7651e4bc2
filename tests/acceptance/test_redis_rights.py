"""docs/redis.md: with the rights that it names everything works, and nothing else is allowed."""

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
import redis

from iyu.schemas.contract.message import Queue
from tests.acceptance.faults.system import READY_SECONDS, SETTINGS
from tests.harness.polling import poll
from tests.harness.services import (
    ROOT,
    RedisServer,
    child_environment,
    iyu_command,
    run_iyu,
)
from tests.harness.tls import also_with_tls, make_certificates

pytestmark = pytest.mark.acceptance

PAGE = (ROOT / "docs" / "redis.md").read_text()
LINES = re.findall(r"^user (iyu-\w+) (.*)$", PAGE, re.MULTILINE)
PASSWORD = "a:b/c@d"


@pytest.fixture
def addresses(redis_server: RedisServer) -> dict[str, str]:
    """An address for each user of the page."""
    make_users(redis_server)
    return {name: address_of(name, f"127.0.0.1:{redis_server.port}/0") for name, _ in LINES}


def address_of(name: str, server: str, scheme: str = "redis") -> str:
    return f"{scheme}://{name}:{quote(PASSWORD, safe='')}@{server}"


def make_users(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        for name, rights in LINES:
            words = rights.replace(">PASSWORD", f">{PASSWORD}").split()
            client.execute_command("ACL", "SETUSER", name, "reset", *words)


def denied(server: RedisServer) -> list[tuple[str, str, str]]:
    """What Redis has refused so far: user, reason, object."""
    with server.client() as client:
        log = client.execute_command("ACL", "LOG")
    return [(entry["username"], entry["reason"], entry["object"]) for entry in map(as_dict, log)]


def as_dict(entry: object) -> dict[str, str]:
    if isinstance(entry, dict):
        return entry
    assert isinstance(entry, list)
    return dict(zip(entry[::2], entry[1::2], strict=True))


def test_the_rights_of_the_page_are_enough_over_tls_and_no_more(
    redis_server, sqlite_url: str, start, tmp_path: Path
):
    """TLS asks Redis for nothing more, so this stands for plain connections too."""
    make_users(redis_server)
    certificates = make_certificates(tmp_path)
    server = (
        f"127.0.0.1:{also_with_tls(redis_server, certificates)}/0?ssl_ca_certs={certificates.ca}"
    )
    addresses = {name: address_of(name, server, "rediss") for name, _ in LINES}
    assert set(addresses) == {"iyu-producer", "iyu-worker"}
    common = {
        "IYU_DATABASE_URL": sqlite_url,
        "IYU_HEARTBEAT_FILE": str(tmp_path / "iyu.heartbeat"),
        **SETTINGS,
    }
    producer, worker = (
        child_environment(IYU_BROKER_URL=addresses[name], **common)
        for name in ("iyu-producer", "iyu-worker")
    )

    def run(*arguments: str, environment: dict[str, str] = worker) -> str:
        done = run_iyu(*arguments, environment=environment, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("db", "upgrade")
    text = "id,text\n1,최고의 영화\n2,정말 지루했다\n"
    (tmp_path / "few.csv").write_text(text, encoding="utf-8")
    columns = ("--id-column", "id", "--text-column", "text", "--source", "s")
    run("submit", "few.csv", *columns, environment=producer)
    with redis_server.client() as client:
        client.delete(Queue.BULK)  # lost: a sweep has to find it
        client.lpush(Queue.BULK, "broken")
    scoring = start(iyu_command("worker", "--concurrency", "1"), worker)
    start(iyu_command("beat"), worker)

    def scored() -> bool:
        assert scoring.running, scoring.output()[-4000:]
        return run("sql", "SELECT COUNT(*) FROM review_scores", "--csv").split()[-1] == "2"

    poll(READY_SECONDS, scored, every=1.0)
    run("status")
    run("health")
    run("submit", "few.csv", *columns, "--wait", environment=producer)
    assert denied(redis_server) == []
    assert PASSWORD not in scoring.output()


FORBIDDEN = {
    "iyu-producer": [("RPOP", "reviews.bulk"), ("LRANGE", "reviews.bulk", "0", "-1"),
                     ("GET", "other"), ("LPUSH", "other", "x"), ("FLUSHALL",), ("KEYS", "*")],
    "iyu-worker": [("GET", "other"), ("CONFIG", "GET", "*"), ("FLUSHALL",), ("KEYS", "*"),
                   ("CLIENT", "LIST"), ("PUBLISH", "any", "x"), ("ACL", "LIST")],
}  # fmt: skip


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_the_page_does_not_name_is_refused(addresses: dict[str, str], name: str):
    with redis.Redis.from_url(addresses[name]) as client:
        for command in FORBIDDEN[name]:
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def test_the_address_of_an_own_redis_is_one_that_its_command_line_takes(redis_server):
    program = shutil.which("redis-cli")
    if program is None:
        pytest.skip("redis-cli is missing")
    done = subprocess.run(
        [program, "--no-auth-warning", "-u", redis_server.url, "PING"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "PONG"
