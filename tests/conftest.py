"""Fixtures: services once per session or per test, a worker process, and where they are."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from iyu.schemas.contract.errors import SettingsError
from iyu.schemas.sql.engine import connected, upgrade
from tests.harness.polling import poll
from tests.harness.postgres_server import PostgresServer, ServiceMissing
from tests.harness.services import Process, RedisServer, child_environment, iyu_command
from tests.harness.skipping import skip_without

#: Seconds until a worker has loaded TensorFlow and its model on a slow machine.
WORKER_READY_SECONDS = 180.0
#: Here, for a plugin of the fault suite's own would be silent when tests run two at a time.
pytest_plugins = ["tests.harness.fault_table"]


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis with its append-only file, empty."""
    server = RedisServer(tmp_path / "redis")
    try:
        server.start()
    except SettingsError as error:
        skip_without(str(error))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole session."""
    try:
        server = PostgresServer()
    except ServiceMissing as error:
        skip_without(str(error))
    yield server
    server.remove()


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """A fresh, empty PostgreSQL database."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'iyu.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, empty database, once of each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
def engine(database_url: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine on a fresh database with its tables, once of each kind."""
    if database_url.startswith("postgresql"):
        request.getfixturevalue("postgres").copy_made(database_url, make_tables)
    else:
        make_tables(database_url)
    with connected(database_url) as engine:
        yield engine


def make_tables(database_url: str) -> None:
    """Bring an empty database to the newest revision."""
    with connected(database_url) as engine:
        upgrade(engine)


@pytest.fixture
def environment(redis_server: RedisServer, database_url: str) -> dict[str, str]:
    """The environment of a child process: this test's broker and database, once of each kind."""
    return child_environment(IYU_BROKER_URL=redis_server.url, IYU_DATABASE_URL=database_url)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start commands as processes; all of them are gone when the test ends."""
    started: list[Process] = []

    def start_one(command: list[str], environment: dict[str, str]) -> Process:
        log = tmp_path / f"process-{len(started)}.log"
        started.append(Process(command, environment, log, tmp_path))
        return started[-1]

    yield start_one
    for process in started:
        process.kill_group()


@pytest.fixture
def start_worker(start: Callable[..., Process]) -> Callable[..., Process]:
    """Start `iyu worker` and wait until it takes messages."""

    def start_one(environment: dict[str, str], *options: str) -> Process:
        worker = start(iyu_command("worker", "--concurrency", "1", *options), environment)

        def is_ready() -> bool:
            assert worker.running, worker.output()
            return " ready." in worker.output()

        poll(WORKER_READY_SECONDS, is_ready)
        return worker

    return start_one
