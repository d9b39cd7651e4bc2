"""Looks after a worker from within: a heartbeat file, and an end where it has gone silent."""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from time import monotonic
from typing import Final

from celery.worker import state

from iyu.schemas.broker.redis_contents import count_messages
from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.message import TASK
from iyu.schemas.sql.engine import connect, reading
from iyu.worker.settings import WorkerSettings

log = logging.getLogger("iyu.worker")

#: Exit code of a worker that ends because it has gone silent (EX_SOFTWARE).
SILENT: Final = 70
#: Seconds between two heartbeats.
HEARTBEAT_EVERY: Final = 2.0


@dataclass(slots=True)
class Silence:
    """How long there has been work, and nothing was begun although all is well."""

    begun: int = -1
    since: float = 0.0  # seconds, monotonic

    def look(self, begun: int, now: float, should_move: Callable[[], bool]) -> float:
        """Return the seconds of silence; `should_move` is asked only where nothing moved."""
        if begun != self.begun or not should_move():
            self.begun, self.since = begun, now
        return now - self.since


def watch(settings: WorkerSettings, queues: Sequence[str], load_failed: Event) -> None:
    """Start watching this worker, in a thread: the event loop may be what has stopped."""
    arguments = (settings, queues, load_failed)
    threading.Thread(target=_watch, args=arguments, name="watch", daemon=True).start()


def _watch(settings: WorkerSettings, queues: Sequence[str], load_failed: Event) -> None:
    silence, looked_at = Silence(), monotonic()
    look_every = min(10.0, settings.silence_limit / 5)
    while not load_failed.wait(min(HEARTBEAT_EVERY, look_every)):
        _beat(settings.heartbeat_file)
        if monotonic() - looked_at < look_every:
            continue
        looked_at = monotonic()
        begun = state.total_count[TASK]
        seconds = silence.look(begun, looked_at, lambda: _should_move(settings, queues))
        if seconds >= settings.silence_limit:
            log.critical(
                "nothing was begun for %.0f s although reviews wait and broker and database "
                "answer: this worker ends, its supervisor should start it again",
                seconds,
            )
            os._exit(SILENT)
    # A process could not load: end as a whole, without those that would fail the same way.
    state.should_stop = 1


def _beat(file: Path) -> None:
    try:
        file.touch()
    except OSError as error:
        log.warning("the heartbeat file %s cannot be written: %s", file, error.strerror)


def _should_move(settings: WorkerSettings, queues: Sequence[str]) -> bool:
    """Say whether reviews wait while broker and database are well."""
    try:
        if not any(count_messages(settings, queues).values()):
            return False
        engine = connect(settings.database)
        try:
            with reading(engine) as connection:
                connection.exec_driver_sql("SELECT 1")
        finally:
            engine.dispose()
    except IyuError:
        return False
    return True
