"""The image and the compose file on a real engine, where one answers and has the base images.

Elsewhere, CI included, tests/acceptance/test_compose.py runs the same commands without an engine.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.polling import poll
from tests.harness.services import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.alone, pytest.mark.timeout(3600)]

BASES = ("python:3.12-slim", "redis:7", "postgres:17")
COMPOSE_FILE = ROOT / "docker-compose.yml"
BUILD_SECONDS = 1800
READY_SECONDS = 300
REVIEWS = 6_000
OPEN = "SELECT COUNT(*) AS n FROM chunks WHERE state IN ('queued', 'running')"


def engine(*arguments: str, seconds: float = 120) -> str:
    """Run the engine's client and return what it printed."""
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=False, timeout=seconds
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def answers(*arguments: str) -> bool:
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


@pytest.fixture(scope="module", autouse=True)
def _engine_that_answers() -> None:
    if shutil.which("docker") is None or not answers("info"):
        pytest.skip("no container engine answers here")
    if not answers("compose", "version"):
        pytest.skip("the engine's client has no compose here")
    if missing := [name for name in BASES if not answers("image", "inspect", name)]:
        pytest.skip(f"the engine does not have the base images {', '.join(missing)}")


class Compose:
    """The project's compose file under a name and a tag that nothing else here has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)  # the image's user reads the reviews in it
        self.name = self.image = f"iyu-test-{os.getpid()}"
        described = yaml.safe_load(COMPOSE_FILE.read_text())["services"]
        ours = [name for name, service in described.items() if service["image"] == "iyu"]
        services: dict[str, dict[str, Any]] = {name: {"image": self.image} for name in ours}
        services["worker"]["environment"] = {"IYU_CONCURRENCY": "1"}
        # The host's network: the package index may be one that this machine alone can reach.
        services["migrate"]["build"] = {"context": str(ROOT), "network": "host"}
        self.override = folder / "override.json"
        self.override.write_text(json.dumps({"services": services}))

    def __call__(self, *arguments: str, seconds: float = 300) -> str:
        files = ("--file", str(COMPOSE_FILE), "--file", str(self.override))
        return engine("compose", "--project-name", self.name, *files, *arguments, seconds=seconds)

    def containers(self, service: str) -> list[str]:
        return self("ps", "--quiet", service).split()

    def scale(self, workers: int) -> None:
        self("up", "--detach", "--no-recreate", "--scale", f"worker={workers}", seconds=600)

    def sql(self, query: str) -> list[str]:
        """The lines of an answer, without the header."""
        return self("exec", "-T", "metrics", "iyu", "sql", query, "--csv").splitlines()[1:]

    def crash(self, container: str) -> None:
        """End a container's first process as the kernel would, so that the policy restarts it."""
        pid = int(engine("inspect", "--format", "{{.State.Pid}}", container))
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    found = Compose(tmp_path_factory.mktemp("compose"))
    try:
        found("build", seconds=BUILD_SECONDS)
        yield found
    finally:
        found("down", "--volumes", "--timeout", "5", "--remove-orphans")
        answers("image", "rm", "--force", found.image)


def test_the_image_runs_as_its_number_and_holds_nothing_to_build_with(compose: Compose):
    shell = ("run", "--rm", "--network", "none", "--entrypoint", "sh", compose.image, "-c")
    assert engine(*shell, "id -u; id -g").split() == ["10001", "10001"]
    packages = "python -c \"import sysconfig; print(sysconfig.get_path('purelib'))\""
    assert "include" not in engine(*shell, f"ls $({packages})/tensorflow").split()
    assert "clang" not in engine(*shell, f"ls $({packages})").split()


def test_a_stop_right_after_the_start_is_heard(compose: Compose):
    """Without an init, so that Python is the first process; unheard, it would be killed: 137."""
    container = engine("run", "--detach", "--network", "none", compose.image, "beat")
    try:
        poll(60, lambda: hears_term(container), every=0.02)
        engine("stop", "--time", "60", container)
        assert engine("inspect", "--format", "{{.State.ExitCode}}", container) != "137"
    finally:
        engine("rm", "--force", container)


def hears_term(container: str) -> bool:
    """Whether the container's first process catches TERM: its bit in SigCgt."""
    pid = engine("inspect", "--format", "{{.State.Pid}}", container)
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("the engine's processes are not seen from here")
    [caught] = [line.split()[1] for line in status.read_text().splitlines() if "SigCgt" in line]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def test_a_crash_and_a_scale_in_under_load_lose_nothing(compose: Compose):
    compose.scale(2)
    workers = compose.containers("worker")
    assert len(workers) == 2
    poll(READY_SECONDS, lambda: all(map(is_ready, workers)), every=1.0)
    rows = "".join(f"{number},영화 {number} 정말 재미있다\n" for number in range(REVIEWS))
    (compose.folder / "reviews.csv").write_text(f"id,text\n{rows}", encoding="utf-8")
    compose(
        "run", "--rm", "--no-deps", "--volume", f"{compose.folder}:/data:ro", "worker",
        "submit", "/data/reviews.csv", "--id-column", "id", "--text-column", "text",
        "--source", "engine",
    )  # fmt: skip
    assert compose.sql(OPEN) != ["0"]  # what follows happens under load
    compose.crash(workers[0])
    compose.scale(1)
    assert len(compose.containers("worker")) == 1
    poll(READY_SECONDS, lambda: compose.sql(OPEN) == ["0"], every=2.0)
    scored = compose.sql("SELECT COUNT(*) AS n, COUNT(DISTINCT review_id) AS d FROM predictions")
    assert scored == [f"{REVIEWS},{REVIEWS}"]
    assert compose.sql("SELECT COUNT(*) AS n FROM dead_letters") == ["0"]
    for service in ("worker", "beat"):
        poll(READY_SECONDS, lambda: is_healthy(compose.containers(service)[0]), every=2.0)  # noqa: B023


def is_ready(container: str) -> bool:
    return answers("exec", container, "test", "-e", "/tmp/iyu.ready")


def is_healthy(container: str) -> bool:
    return engine("inspect", "--format", "{{.State.Health.Status}}", container) == "healthy"
