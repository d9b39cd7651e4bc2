"""Who is alive: a row a worker, one for beat, one for the last sweep."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from importlib import metadata
from typing import Final

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from iyu.schemas.contract.message import new_id
from iyu.schemas.contract.review import utc_now
from iyu.schemas.sql.tables import heartbeats

#: Seconds between two heartbeats in the database.
BEAT_EVERY: Final = 10.0
#: Seconds without one after which a process counts as dead.
ALIVE_SECONDS: Final = 45.0
#: How long the row of a dead process is kept.
KEEP: Final = timedelta(days=1)
#: The row of the last sweep, whichever worker did it.
SWEEP_ID: Final = "sweep"


class Role(StrEnum):
    """What a process does."""

    WORKER = "worker"
    SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A process that says it is alive."""

    process_id: str  # a UUID, new with every start; or SWEEP_ID
    role: Role
    model_version: str | None
    started_at: datetime
    begun: int = 0  # chunks since it started
    last_chunk_at: datetime | None = None  # when it last began one


def worker_heartbeat(model_version: str) -> Heartbeat:
    """Return the heartbeat of a worker that starts now."""
    return Heartbeat(new_id(), Role.WORKER, model_version, utc_now())


def sweep_heartbeat() -> Heartbeat:
    """Return the heartbeat of a sweep."""
    return Heartbeat(SWEEP_ID, Role.SWEEP, None, utc_now())


def beat(connection: Connection, heartbeat: Heartbeat) -> None:
    """Write it down."""
    row = {
        "process_id": heartbeat.process_id,
        "role": heartbeat.role,
        "host": this_host(),
        "pid": os.getpid(),
        "iyu_version": _version(),
        "model_version": heartbeat.model_version,
        "started_at": heartbeat.started_at,
        "beat_at": utc_now(),
        "last_chunk_at": heartbeat.last_chunk_at,
        "begun": heartbeat.begun,
    }
    dialect = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    connection.execute(
        dialect(heartbeats)
        .values(row)
        .on_conflict_do_update(index_elements=["process_id"], set_=row)
    )


def forget_dead(connection: Connection) -> None:
    """Delete the rows of processes that ended long ago."""
    connection.execute(delete(heartbeats).where(heartbeats.c.beat_at < utc_now() - KEEP))


def this_host() -> str:
    """Return the name of this machine, container or pod."""
    return socket.gethostname()[:255]


def _version() -> str:
    try:
        return metadata.version("iyu")[:32]
    except metadata.PackageNotFoundError:
        return "not installed"
