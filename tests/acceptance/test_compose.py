"""docker-compose.yml without Docker: every service's own command, run here with its environment."""

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from iyu.console.local.embedded_redis import find_redis_server
from iyu.schemas.contract.errors import SettingsError
from iyu.schemas.contract.settings import Settings
from tests.harness.polling import poll
from tests.harness.ports import own_port
from tests.harness.postgres_server import PostgresServer
from tests.harness.services import ROOT, child_environment, is_listening, iyu_command, run_iyu
from tests.harness.skipping import skip_without
from tests.harness.web_page import WebPage

pytestmark = pytest.mark.acceptance

DOCKERFILE = (ROOT / "Dockerfile").read_text()
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services, with every ${NAME:-default} at its default."""
    source = (ROOT / "docker-compose.yml").read_text()
    return yaml.safe_load(VARIABLE.sub(r"\2", source))["services"]


def instruction(name: str) -> list[str]:
    """The last instruction of that name in the Dockerfile, in its JSON form."""
    return json.loads(re.findall(rf"^.*\b{name}\s+(\[.*\])$", DOCKERFILE, re.MULTILINE)[-1])


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_code_comes_after_everything_it_needs():
    """A changed line of code must not cost the dependencies again."""
    steps = re.findall(r"^(COPY|RUN) ((?:.*\\\n)*.*)", DOCKERFILE, re.MULTILINE)
    [heavy] = [number for number, (_, what) in enumerate(steps) if "--extra worker" in what]
    before = " ".join(what for kind, what in steps[:heavy] if kind == "COPY")
    assert before.split() == ["constraints.txt", "pyproject.toml", "./"]
    assert "--no-deps" in steps[-1][1]
    copied = " ".join(what for kind, what in steps[heavy:] if kind == "COPY")
    for folder in ("schemas", "producer", "worker", "console"):
        assert f"{folder} {folder}" in copied


def test_one_service_builds_the_image_that_the_others_run(services):
    ours = {name: service for name, service in services.items() if service["image"] == "iyu"}
    assert ours.keys() == {"migrate", "worker", "beat", "metrics", "web", "gateway"}
    assert [name for name, service in ours.items() if "build" in service] == ["migrate"]
    assert all(service["init"] for service in ours.values())


def test_no_log_grows_without_end(services):
    for service in services.values():
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}


def test_the_image_runs_iyu_as_nobody_special():
    assert instruction("ENTRYPOINT") == ["iyu"]
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)[-1] == "10001:10001"
    assert "--constraint constraints.txt" in DOCKERFILE


def test_nothing_is_published_and_everything_comes_back(services):
    for service in services.values():
        assert "ports" not in service
        assert service["restart"] in {"unless-stopped", "on-failure"}
    assert seconds(services["worker"]["stop_grace_period"]) > Settings().task_time_limit


def test_who_scores_waits_for_services_and_tables(services):
    for name in ("worker", "beat", "metrics"):
        conditions = {k: v["condition"] for k, v in services[name]["depends_on"].items()}
        assert conditions == {
            "redis": "service_healthy",
            "postgres": "service_healthy",
            "migrate": "service_completed_successfully",
        }
    for name in ("redis", "postgres"):
        assert services[name]["healthcheck"]["test"]


def test_the_services_score_reviews_together(
    services, postgres: PostgresServer, start, start_worker, tmp_path: Path
):
    addresses = {
        "redis:6379": f"127.0.0.1:{run_redis(services['redis'], start, tmp_path)}",
        "postgres:5432": f"127.0.0.1:{postgres.port}",
    }
    create_database(services["postgres"]["environment"], postgres)

    def environment(name: str) -> dict[str, str]:
        values = {k: str(v) for k, v in services[name]["environment"].items()}
        for inside, here in addresses.items():
            values = {k: v.replace(inside, here) for k, v in values.items()}
        return child_environment(**values)

    migrated = run_iyu(
        *services["migrate"]["command"], environment=environment("migrate"), cwd=tmp_path
    )
    assert migrated.returncode == 0, migrated.stderr
    assert services["worker"]["command"] == ["worker"]
    start_worker(environment("worker"))
    beat = start(iyu_command(*services["beat"]["command"]), environment("beat"))

    health = instruction("HEALTHCHECK.*CMD")
    assert health[0] == "iyu"
    healthy = run_iyu(*health[1:], environment=environment("worker"), cwd=tmp_path)
    assert healthy.returncode == 0, healthy.stdout

    (tmp_path / "few.csv").write_text("id,text\n1,최고의 영화\n2,정말 지루했다\n", encoding="utf-8")
    submitted = run_iyu(
        "submit", "few.csv", "--id-column", "id", "--text-column", "text", "--source", "compose",
        "--wait", environment=environment("worker"), cwd=tmp_path,
    )  # fmt: skip
    assert submitted.returncode == 0, submitted.stderr
    query = "SELECT review_id FROM review_scores ORDER BY review_id"
    answer = run_iyu("sql", query, "--csv", environment=environment("worker"), cwd=tmp_path)
    assert answer.stdout.split() == ["review_id", "1", "2"]
    assert beat.running, beat.output()

    port = own_port(start)
    start(iyu_command(*services["web"]["command"], "--port", str(port)), environment("web"))
    poll(60, lambda: is_listening(port))
    page = WebPage(port)
    assert page.get("/reviews.json").status == 401
    token = services["web"]["environment"]["IYU_WEB_TOKEN"]
    assert "최고의 영화" in page.get("/reviews.json", Authorization=f"Bearer {token}").body


def run_redis(service: dict[str, Any], start, tmp_path: Path) -> int:
    try:
        server = find_redis_server()
    except SettingsError as error:
        skip_without(str(error))
    command = service["command"]
    assert command[0] == "redis-server"
    port = own_port(start)
    here = ["--port", str(port), "--dir", str(tmp_path), "--bind", "127.0.0.1"]
    start([str(server), *command[1:], *here], child_environment())
    poll(60, lambda: is_listening(port))
    return port


def create_database(variables: dict[str, str], postgres: PostgresServer) -> None:
    """What the PostgreSQL image does with its variables."""
    user, name = variables["POSTGRES_USER"], variables["POSTGRES_DB"]
    password = variables["POSTGRES_PASSWORD"]
    with psycopg.connect(f"{postgres.server_url}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'".encode())
        connection.execute(f"CREATE DATABASE {name} OWNER {user}".encode())
