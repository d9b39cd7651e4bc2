"""A real MariaDB as a process."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pymysql

from tests.harness.polling import poll
from tests.harness.ports import own_port
from tests.harness.postgres_server import ServiceMissing


class MariadbServer:
    """A MariaDB from the PATH, in a folder of its own on a loopback port."""

    def __init__(self) -> None:
        """Create its data folder and start it.

        Raises ServiceMissing.
        """
        program, install = _program("mariadbd"), _program("mariadb-install-db")
        self.folder = Path(tempfile.mkdtemp(prefix="iyu-mariadb-"))
        self.port = own_port(self)
        self._databases = 0
        options = ["--no-defaults", f"--datadir={self.folder / 'data'}"]
        if os.geteuid() == 0:  # MariaDB wants to be told
            options.append("--user=root")
        subprocess.run(
            [install, *options, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, capture_output=True,
        )  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, *options, f"--port={self.port}", "--bind-address=127.0.0.1",
                 f"--socket={self.folder / 'socket'}", "--skip-name-resolve",
                 "--innodb-flush-log-at-trx-commit=0"],
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        poll(60, self._answers)

    def create_database(self) -> str:
        """Return the address of a fresh, empty database."""
        self._databases += 1
        name = f"test_{self._databases}"
        with self._connect() as connection:
            connection.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/{name}"

    def remove(self) -> None:
        """Stop and leave nothing behind."""
        self._process.terminate()
        self._process.wait(30)
        shutil.rmtree(self.folder)

    def _connect(self) -> Any:
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root")

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            self._connect().close()
        except pymysql.OperationalError:
            return False
        return True


def _program(name: str) -> str:
    """Return a program of the PATH, or of where Debian keeps servers.

    Raises ServiceMissing.
    """
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        raise ServiceMissing("MariaDB (apt-get install mariadb-server)")
    return found
