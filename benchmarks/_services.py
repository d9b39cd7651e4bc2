"""The real services a benchmark runs: Redis and PostgreSQL from wheels, a worker as a process."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import psutil

from iyu.console.local.embedded_redis import EmbeddedRedis
from iyu.schemas.sql.engine import connect, upgrade
from tests.harness.postgres_server import PostgresServer
from tests.harness.services import Process, child_environment, iyu_command

#: Seconds until every worker process has loaded its model on a busy machine.
READY_SECONDS = 180.0
DATABASES = ("sqlite", "postgresql")


class DurablePostgres(PostgresServer):
    """PostgreSQL as it comes: every commit is on the disk before it returns."""

    settings: ClassVar[dict[str, str]] = {}


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="iyu-benchmark-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Give the address of a fresh database with the tables in it."""
    if kind == "sqlite":
        path = folder / "iyu.db"
        yield _upgraded(f"sqlite:///{path}")
        for file in folder.glob("iyu.db*"):
            file.unlink()
        return
    server = DurablePostgres()
    try:
        yield _upgraded(server.create_database())
    finally:
        server.remove()


@contextmanager
def kept_database(kind: str, folder: Path) -> Iterator[str]:
    """Give the address of a database that stays in a folder, made or brought up to date."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "sqlite":
        yield _upgraded(f"sqlite:///{folder / 'iyu.db'}")
        return
    server = DurablePostgres(folder)
    try:
        if not server.has_database():
            server.create_database()
        yield _upgraded(f"{server.server_url}/test_1")
    finally:
        server.stop()


@contextmanager
def broker(folder: Path) -> Iterator[EmbeddedRedis]:
    """Give a Redis with its append-only file, as `iyu up` runs it."""
    server = EmbeddedRedis(folder / "redis")
    server.start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(server.folder, ignore_errors=True)


@contextmanager
def worker(environment: Mapping[str, str], folder: Path, processes: int = 2) -> Iterator[Process]:
    """Give `iyu worker` with every one of its processes ready."""
    command = iyu_command("worker", "--concurrency", str(processes))
    with running(command, environment, folder) as process:
        wait(lambda: process.output().count("is ready") >= processes, READY_SECONDS, process)
        yield process


@contextmanager
def running(command: list[str], environment: Mapping[str, str], folder: Path) -> Iterator[Process]:
    """Give a command as a process of its own group; it is gone afterwards."""
    log = folder / f"process-{time.monotonic_ns()}.log"
    # What TensorFlow writes into the temporary folder outlives a process that is killed.
    variables = child_environment(**(dict(environment) | {"TMPDIR": str(folder)}))
    process = Process(command, variables, log, folder)
    try:
        yield process
    finally:
        process.kill_group()


@contextmanager
def stores(kind: str, model: str, folder: Path, **variables: str) -> Iterator[dict[str, str]]:
    """Give the environment of a broker and a database that no worker serves yet."""
    with database(kind, folder) as address, broker(folder) as redis:
        yield {
            "IYU_BROKER_URL": redis.url,
            "IYU_DATABASE_URL": address,
            "IYU_MODEL": model,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **variables,
        }


@contextmanager
def services(
    kind: str, model: str, processes: int = 2, **variables: str
) -> Iterator[dict[str, str]]:
    """Give the environment of a broker, a database and a worker that is ready."""
    with (
        scratch() as folder,
        stores(kind, model, folder, **variables) as environment,
        worker(environment, folder, processes),
    ):
        yield environment


def wait(done: Callable[[], bool], seconds: float, process: Process, every: float = 0.02) -> None:
    """Return once it is done.

    Raises RuntimeError with the process's last output if it ends or takes too long.
    """
    deadline = time.monotonic() + seconds
    while not done():
        if not process.running or time.monotonic() > deadline:
            state = "too slow" if process.running else "ended"
            raise RuntimeError(f"the worker is {state}; its output:\n{process.output()[-3000:]}")
        time.sleep(every)


def children(process: Process) -> list[psutil.Process]:
    """Return a worker's pool processes."""
    return psutil.Process(process.pid).children()


def _upgraded(address: str) -> str:
    engine = connect(address)
    upgrade(engine)
    engine.dispose()
    return address
