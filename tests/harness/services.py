"""What tests and benchmarks start as processes: Redis, and the command line with its worker."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from iyu.console.local.embedded_redis import EmbeddedRedis
from tests.harness.ports import own_port

ROOT = Path(__file__).parent.parent.parent


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
            output = self.output()[-4000:]
            raise AssertionError(
                f"still running after {seconds:g} s; its output:\n{output}"
            ) from None

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
