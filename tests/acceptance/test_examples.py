"""Every program in examples/ does what it says, against one real Redis and one real worker."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from iyu.schemas.contract.errors import SettingsError
from iyu.schemas.sql.engine import connected, reading, upgrade
from tests.harness.polling import poll
from tests.harness.ports import own_port
from tests.harness.services import (
    ROOT,
    Process,
    RedisServer,
    child_environment,
    is_listening,
    iyu_command,
)
from tests.harness.skipping import skip_without

pytestmark = pytest.mark.acceptance

EXAMPLES = ROOT / "examples"
WORKER_READY_SECONDS = 180.0
SCORED_SECONDS = 60.0

Environment = dict[str, str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(scope="module")
def environment(folder: Path) -> Iterator[Environment]:
    """A Redis and a SQLite database with its tables, for all examples."""
    server = RedisServer(folder / "redis")
    try:
        server.start()
    except SettingsError as error:
        skip_without(str(error))
    database_url = f"sqlite:///{folder / 'iyu.db'}"
    with connected(database_url) as engine:
        upgrade(engine)
    yield child_environment(
        IYU_BROKER_URL=server.url, IYU_DATABASE_URL=database_url, IYU_MODEL="source"
    )
    server.kill()


@pytest.fixture(scope="module", autouse=True)
def worker(environment: Environment, folder: Path) -> Iterator[Process]:
    """One worker for all examples: loading TensorFlow takes longer than all of them."""
    command = iyu_command("worker", "--concurrency", "1")
    process = Process(command, environment, folder / "worker.log", folder)

    def is_ready() -> bool:
        assert process.running, process.output()
        return " ready." in process.output()

    poll(WORKER_READY_SECONDS, is_ready)
    yield process
    process.kill_group()


@pytest.fixture
def run(environment: Environment, folder: Path) -> Callable[..., list[str]]:
    """Run an example to its end, as a person would; return its lines."""

    def run_one(name: str, *arguments: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-P", EXAMPLES / name, *arguments], env=environment, cwd=folder,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run_one


def wait_for_scores(environment: Environment, *review_ids: str) -> None:
    query = text("SELECT review_id FROM review_scores WHERE source = 'example'")
    with connected(environment["IYU_DATABASE_URL"]) as engine:

        def all_there() -> bool:
            with reading(engine) as connection:
                return set(review_ids) <= set(connection.scalars(query))

        poll(SCORED_SECONDS, all_there)


def test_every_example_is_run_here():
    here = Path(__file__).read_text(encoding="utf-8")
    names = {file.name for file in EXAMPLES.glob("*.py")}
    assert len(names) >= 4
    assert [name for name in sorted(names) if f'"{name}"' not in here] == []


def test_submit_from_python(run, environment):
    assert run("submit_from_python.py") == ["rejected py-3: empty", "submitted"]
    wait_for_scores(environment, "py-1", "py-2")


def test_submit_csv_files_in_a_loop(run, environment, folder: Path):
    (folder / "monday.csv").write_text("id,text\nm-1,정말 좋아요\nm-2,\n", encoding="utf-8")
    (folder / "tuesday.csv").write_text("id,text\nt-1,별로예요\n", encoding="utf-8")
    assert run("submit_csv_files.py", "monday.csv", "tuesday.csv") == [
        "  rejected 'm-2': empty",
        "monday.csv: 1 accepted, 1 rejected",
        "tuesday.csv: 1 accepted, 0 rejected",
    ]
    wait_for_scores(environment, "m-1", "t-1")


def test_publish_with_plain_celery(run, environment):
    assert run("publish_with_celery.py") == ["published 2 reviews"]
    wait_for_scores(environment, "celery-1", "celery-2")


def test_read_results_shows_each_word_with_its_heat(run, environment):
    run("submit_from_python.py")
    wait_for_scores(environment, "py-1", "py-2")
    rows = [line.split("\t") for line in run("read_results.py")]
    negative = [float(heat) for review_id, _, _, heat in rows if review_id == "py-2"]
    assert {review_id for review_id, _, _, _ in rows} >= {"py-1", "py-2"}
    assert sum(negative) < 0
    assert any(surface == "지루" for _, _, surface, _ in rows)


def test_pandas_lists_words_from_the_worst_to_the_best(run, environment):
    run("submit_from_python.py")
    wait_for_scores(environment, "py-1", "py-2")
    means = [float(line.split()[-1]) for line in run("words_with_pandas.py")[2:]]
    assert len(means) >= 4
    assert means == sorted(means)


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[[Environment], str]]:
    """Start the web handler; return its address."""
    started: list[Process] = []

    def serve_one(environment: Environment) -> str:
        port = own_port(serve_one)
        command = [sys.executable, "-P", str(EXAMPLES / "web_handler.py"), str(port)]
        started.append(Process(command, environment, folder / "web.log", folder))
        poll(30, lambda: is_listening(port))
        return f"http://127.0.0.1:{port}/"

    yield serve_one
    for process in started:
        process.kill_group()


def post(address: str, body: bytes) -> tuple[int, dict[str, str]]:
    request = urllib.request.Request(address, data=body)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, dict(response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers)


def review(review_id: str, words: str) -> bytes:
    return json.dumps({"id": review_id, "text": words}).encode()


def test_the_web_handler_accepts_rejects_and_asks_to_come_again(serve, environment):
    address = serve(environment)
    assert post(address, review("web-1", "포장이 꼼꼼해요"))[0] == 202
    status, headers = post(address, review("web-2", " "))
    assert (status, headers["X-Reason"]) == (422, "empty")
    assert post(address, b"no JSON")[0] == 400
    wait_for_scores(environment, "web-1")

    no_broker = serve(environment | {"IYU_BROKER_URL": "redis://127.0.0.1:1/0"})
    status, headers = post(no_broker, review("web-3", "늦게 왔어요"))
    assert (status, headers["Retry-After"]) == (503, "10")


def test_the_web_handler_says_when_workers_cannot_keep_up(serve, environment, folder: Path):
    """Past the high-water mark, in an installation where no worker runs."""
    database_url = f"sqlite:///{folder / 'backlogged.db'}"
    with connected(database_url) as engine:
        upgrade(engine)
    address = serve(
        environment | {"IYU_DATABASE_URL": database_url, "IYU_HIGH_WATER": "1",
                       "IYU_BROKER_URL": environment["IYU_BROKER_URL"].removesuffix("0") + "9"}
    )  # fmt: skip
    assert post(address, review("web-4", "첫째"))[0] == 202
    status, headers = post(address, review("web-5", "둘째"))
    assert (status, headers["Retry-After"]) == (429, "60")
