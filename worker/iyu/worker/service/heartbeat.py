"""A worker's row in the database: what `iyu metrics` counts workers by.

In a thread of its own: a database that is locked or away must not hold up the heartbeat file, by
which a supervisor decides whether to restart.
"""

import logging
import threading
from dataclasses import replace
from typing import Any, Final

from celery.worker import state
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.message import TASK
from iyu.schemas.contract.review import utc_now
from iyu.schemas.ledger.heartbeats import BEAT_EVERY, Heartbeat, beat, worker_heartbeat
from iyu.schemas.sql.engine import connect, writing
from iyu.worker.settings import WorkerSettings

log = logging.getLogger("iyu.worker")

#: Milliseconds to wait for SQLite's lock: the next heartbeat will do.
LOCK_MS: Final = 2_000


class HeartbeatRow:
    """Writes a worker's heartbeat every BEAT_EVERY seconds as long as its process lives."""

    def __init__(self, settings: WorkerSettings, model_version: str) -> None:
        # The driver is imported here, in the main thread: a fork while a thread imports leaves the
        # child with an import lock that nobody holds any more.
        self._engine = connect(settings.database, busy_ms=LOCK_MS)
        self._heartbeat = worker_heartbeat(model_version)
        self._started = False

    def start(self, **_: Any) -> None:
        """Begin, once; call it when the processes have been forked."""
        if not self._started:
            self._started = True
            arguments = (self._engine, self._heartbeat)
            threading.Thread(target=_keep, args=arguments, name="heartbeat", daemon=True).start()


def _keep(engine: Engine, heartbeat: Heartbeat) -> None:
    pause = threading.Event()
    while True:
        heartbeat = _with_what_was_begun(heartbeat)
        try:
            with writing(engine) as connection:
                beat(connection, heartbeat)
        except (IyuError, SQLAlchemyError) as error:
            log.debug("no heartbeat was written (%s)", type(error).__name__)
        engine.dispose()  # there is one every ten seconds: no connection is kept for it
        pause.wait(BEAT_EVERY)


def _with_what_was_begun(heartbeat: Heartbeat) -> Heartbeat:
    begun = state.total_count[TASK]
    if begun == heartbeat.begun:
        return heartbeat
    return replace(heartbeat, begun=begun, last_chunk_at=utc_now())
