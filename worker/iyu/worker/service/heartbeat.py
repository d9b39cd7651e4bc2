"""A worker's row in the database: what `iyu metrics` counts workers by.

In a thread of its own: a database that is locked or away must not hold up the heartbeat file, by
which a supervisor decides whether to restart.
"""

import logging
import threading
from dataclasses import replace
from typing import Final

from celery.worker import state
from sqlalchemy.exc import SQLAlchemyError

from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.message import TASK
from iyu.schemas.contract.review import utc_now
from iyu.schemas.ledger.heartbeats import BEAT_EVERY, Heartbeat, beat, worker_heartbeat
from iyu.schemas.sql.engine import connected, writing
from iyu.worker.settings import WorkerSettings

log = logging.getLogger("iyu.worker")

#: Milliseconds to wait for SQLite's lock: the next heartbeat will do.
LOCK_MS: Final = 2_000


def keep_heartbeat(settings: WorkerSettings, model_version: str) -> None:
    """Write a heartbeat now and every BEAT_EVERY seconds as long as this process lives."""
    arguments = (settings.database, worker_heartbeat(model_version))
    threading.Thread(target=_keep, args=arguments, name="heartbeat", daemon=True).start()


def _keep(database: str, heartbeat: Heartbeat) -> None:
    pause = threading.Event()
    while True:
        heartbeat = _with_what_was_begun(heartbeat)
        try:
            # No connection stays open: there is one every ten seconds.
            with connected(database, busy_ms=LOCK_MS) as engine, writing(engine) as connection:
                beat(connection, heartbeat)
        except (IyuError, SQLAlchemyError) as error:
            log.debug("no heartbeat was written (%s)", type(error).__name__)
        pause.wait(BEAT_EVERY)


def _with_what_was_begun(heartbeat: Heartbeat) -> Heartbeat:
    begun = state.total_count[TASK]
    if begun == heartbeat.begun:
        return heartbeat
    return replace(heartbeat, begun=begun, last_chunk_at=utc_now())
