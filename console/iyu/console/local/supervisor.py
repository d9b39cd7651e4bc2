"""Keeps a few services running together: started in order, restarted, stopped in reverse order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from iyu.console.exit_codes import WRONG_USE
from iyu.console.local.parent_death import die_with_parent
from iyu.schemas.contract.errors import IyuError, SettingsError

#: Seconds a child may take to finish its chunk after SIGTERM.
STOP_SECONDS = 60.0
#: Seconds between two checks of the children; also the longest time until Ctrl-C is noticed.
LOOK_SECONDS = 0.2
#: Seconds before a dead service is started again: doubled each time, up to the second.
FIRST_DELAY, LONGEST_DELAY = 1.0, 30.0
#: Seconds of running after which the delay starts anew.
STABLE_SECONDS = 60.0


class Service(Protocol):
    """A process that can be supervised."""

    @property
    def running(self) -> bool:
        """Whether it runs."""

    def start(self) -> None:
        """Start it."""

    def stop(self) -> None:
        """Let it finish its work, and end it."""


class ChildProcess:
    """A command as a service; its output goes to a file, or to ours."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path | None = None
    ) -> None:
        self._command = command
        self._environment = dict(os.environ) | dict(environment)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it runs. Raises SettingsError where its settings are wrong: no restart helps."""
        if self._process is None:
            return False
        if self._process.poll() == WRONG_USE:
            name = " ".join(self._command[-1:])
            raise SettingsError(f"{name} cannot start; its own message is above")
        return self._process.returncode is None

    def start(self) -> None:
        """Start it in a process group of its own: Ctrl-C is for the supervisor alone."""
        self._end_group()  # children that a dead parent left behind
        with nullcontext(sys.stderr) if self._log is None else self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - it only makes a system call
            )

    def stop(self) -> None:
        """Let it finish its chunk; kill the whole group if it does not."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self._end_group()

    def _end_group(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@dataclass
class _Watched:
    name: str
    service: Service
    delay: float = FIRST_DELAY
    started: float = field(default_factory=time.monotonic)  # seconds, monotonic
    due: float | None = None  # when to start it again, None while it runs


class Supervisor:
    """Runs services until SIGINT or SIGTERM."""

    def __init__(self, services: Mapping[str, Service], say: Callable[[str], None]) -> None:
        self._watched = [_Watched(name, service) for name, service in services.items()]
        self._say = say
        self._stopping = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start everything in order; stop everything in reverse order at the end."""
        try:
            for watched in self._watched:
                watched.service.start()
            yield
        finally:
            for watched in reversed(self._watched):
                watched.service.stop()

    def watch(self, until: Callable[[], bool] = lambda: False) -> bool:
        """Restart services that end; True once `until()` is true, False after a signal."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        while not self._stopping and not until():
            for watched in self._watched:
                self._restart_if_ended(watched)
            time.sleep(LOOK_SECONDS)
        return not self._stopping

    def _stop(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _restart_if_ended(self, watched: _Watched) -> None:
        now = time.monotonic()
        if watched.service.running:
            if now - watched.started > STABLE_SECONDS:
                watched.delay = FIRST_DELAY
        elif watched.due is None:
            self._say(f"{watched.name} ended; starting it again in {watched.delay:g} s")
            watched.due = now + watched.delay
            watched.delay = min(2 * watched.delay, LONGEST_DELAY)
        elif now >= watched.due:
            watched.due, watched.started = None, now
            self._restart(watched)

    def _restart(self, watched: _Watched) -> None:
        try:
            watched.service.start()
        except IyuError as error:
            self._say(f"{watched.name}: {error}")
