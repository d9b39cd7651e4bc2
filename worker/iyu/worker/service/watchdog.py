"""Watches a worker from within: writes its heartbeat file, and ends it if it stops working."""

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

from iyu.schemas.broker.redis_contents import count_messages, probe_writing
from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.message import TASK
from iyu.schemas.sql.engine import connect, reading
from iyu.worker.service.capacity import LoadedProcesses
from iyu.worker.service.probe_files import ready_file, remove, touch
from iyu.worker.settings import WorkerSettings

log = logging.getLogger("iyu.worker")

#: Exit code of a worker that ends because it begins no work (EX_SOFTWARE).
STALLED: Final = 70
#: Seconds between two heartbeats.
HEARTBEAT_EVERY: Final = 2.0


@dataclass(slots=True)
class StallTimer:
    """How long a worker has begun nothing although it should."""

    begun: int = -1  # chunks, when last looked at
    since: float = 0.0  # seconds, monotonic

    def update(self, begun: int, now: float, has_work: Callable[[], bool]) -> float:
        """Return the seconds since the worker last began a chunk, or had none to begin.

        begun: chunks begun so far. has_work: called only if that number has not changed.
        """
        if begun != self.begun or not has_work():
            self.begun, self.since = begun, now
        return now - self.since


def watch(
    settings: WorkerSettings,
    heartbeat: Path,
    queues: Sequence[str],
    load_failed: Event,
    loaded: LoadedProcesses,
) -> None:
    """Start watching this worker, in a thread: the event loop may be what has stopped."""
    remove(ready_file(heartbeat))
    arguments = (settings, heartbeat, queues, load_failed, loaded)
    threading.Thread(target=_watch, args=arguments, name="watch", daemon=True).start()


def _watch(
    settings: WorkerSettings,
    heartbeat: Path,
    queues: Sequence[str],
    load_failed: Event,
    loaded: LoadedProcesses,
) -> None:
    stall, looked_at = StallTimer(), monotonic()
    look_every = min(10.0, settings.silence_limit / 5)
    while not load_failed.wait(min(HEARTBEAT_EVERY, look_every)):
        touch(heartbeat)
        if loaded.are_all():
            touch(ready_file(heartbeat))
        if monotonic() - looked_at < look_every:
            continue
        looked_at = monotonic()
        begun = state.total_count[TASK]
        seconds = stall.update(begun, looked_at, lambda: _has_work(settings, queues))
        if seconds >= settings.silence_limit:
            log.critical(
                "nothing was begun for %.0f s although reviews wait and broker and database "
                "answer: this worker ends, its supervisor should start it again",
                seconds,
            )
            os._exit(STALLED)
    # A process could not load its model: the others would fail the same way.
    state.should_stop = 1


def _has_work(settings: WorkerSettings, queues: Sequence[str]) -> bool:
    """Say whether reviews wait, the broker can be written to and the database answers."""
    try:
        if not any(count_messages(settings, queues).values()):
            return False
        probe_writing(settings)
        engine = connect(settings.database)
        try:
            with reading(engine) as connection:
                connection.exec_driver_sql("SELECT 1")
        finally:
            engine.dispose()
    except IyuError:
        return False
    return True
