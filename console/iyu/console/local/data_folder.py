"""Redis with its file, SQLite, a worker and beat on one machine, all state in one folder."""

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from iyu.console.local.embedded_redis import EmbeddedRedis, is_free
from iyu.console.local.env_file import read_environment, write_environment
from iyu.console.local.sqlite_files import checkpoint
from iyu.console.local.supervisor import ChildProcess, Service, Supervisor
from iyu.schemas.contract.errors import SettingsError
from iyu.schemas.sql.engine import connected, upgrade


class DataFolder:
    """A folder that holds all state of one local installation."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def database_url(self) -> str:
        """The address of the SQLite file."""
        # Not as a string: a `?` or `%` in a folder's name is no part of the address' syntax.
        url = URL.create("sqlite", database=str(self.path / "iyu.db"))
        return url.render_as_string(hide_password=False)

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Lock the folder for this process and the children that inherit the descriptor.

        Raises SettingsError while another process holds the lock, or where nothing can be written.
        """
        if self.path.exists() and not self.path.is_dir():
            raise SettingsError(f"{self.path} is no folder; give another --data")
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SettingsError(
                f"{self.path} cannot be written: {error.strerror}; give another --data"
            ) from error
        try:
            _take(lock, self.path)
            yield lock
        finally:
            os.close(lock)

    def redis(self, lock: int, port: int | None) -> EmbeddedRedis:
        """Return this folder's Redis, at the address it had last time where that is free."""
        known = self._last_broker()
        if port is None and known and known.port and is_free(known.port):
            port = known.port
        password = str(known.password) if known and known.password else None
        # Redis inherits the lock: no second one may ever write the same append-only file.
        return EmbeddedRedis(self.path / "redis", port=port, password=password, keep_open=(lock,))

    def _last_broker(self) -> URL | None:
        """Return the broker's last address; None where `iyu.env` is missing or damaged."""
        try:
            last = read_environment(self.path).get("IYU_BROKER_URL")
            return make_url(last) if last else None
        except (SettingsError, ArgumentError, ValueError):  # it is written anew
            return None


@contextmanager
def run_locally(
    folder: DataFolder,
    say: Callable[[str], None],
    *,
    concurrency: int | None = None,
    model: str | None = None,
    methods: str | None = None,
    port: int | None = None,
    page_port: int | None = None,
    log: Path | None = None,
) -> Iterator[tuple[Supervisor, dict[str, str]]]:
    """Start Redis, bring the tables up to date, start worker and beat; stop them at the end.

    With a port for it, the page is served too.

    Gives the supervisor, and the variables other commands need to reach what runs.
    """
    with folder.locked() as lock, _private_files():
        redis = folder.redis(lock, port)
        with connected(folder.database_url) as engine:
            upgrade(engine)
        variables = {"IYU_BROKER_URL": redis.url, "IYU_DATABASE_URL": folder.database_url}
        write_environment(folder.path, variables)
        chosen = {"IYU_MODEL": model, "IYU_METHODS": methods}
        environment = variables | {name: value for name, value in chosen.items() if value}
        options = ["--concurrency", str(concurrency)] if concurrency else []
        services: dict[str, Service] = {
            "redis": redis,
            "worker": ChildProcess(command("worker", *options), environment, log),
            "beat": ChildProcess(command("beat"), environment, log),
        }
        if page_port:
            page = command("web", "--port", str(page_port))
            services["web"] = ChildProcess(page, environment, log)
        supervisor = Supervisor(services, say)
        with supervisor.running():
            yield supervisor, variables
        checkpoint(folder.database_url)


@contextmanager
def _private_files() -> Iterator[None]:
    """Let every file made here, also by children, be its owner's alone: all hold reviews."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def command(*arguments: str) -> list[str]:
    """Return a command line of iyu for this interpreter.

    -P: the current folder is not searched, whatever modules it holds.
    """
    return [sys.executable, "-P", "-m", "iyu.console", *arguments]


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SettingsError(
            f"{folder} is in use by another iyu; stop that one, or give another --data"
        ) from None
