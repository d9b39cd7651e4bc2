"""Readiness of broker, database and model; liveness of the worker on this machine."""

import time
from importlib.util import find_spec
from typing import Final

from iyu.console.operations.open_database import open_database
from iyu.schemas.broker.redis_contents import probe_writing
from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.settings import Settings

#: Seconds without a heartbeat after which a worker counts as dead; it beats every two.
HEARTBEAT_AGE: Final = 20.0


def readiness(settings: Settings) -> dict[str, str | None]:
    """Return the trouble with broker, database and model, each by its name; None: it is ready."""
    found = {"broker": _broker_trouble(settings), "database": _database_trouble(settings)}
    return found | ({"model": _model_trouble()} if find_spec("numpy") else {})


def liveness() -> dict[str, str | None]:
    """Return the trouble with this machine's worker, by the age of its heartbeat file."""
    from iyu.worker.settings import WorkerSettings

    file = WorkerSettings.load().heartbeat
    try:
        age = time.time() - file.stat().st_mtime
    except OSError:
        return {"worker": f"has no heartbeat file {file}; is it running here?"}
    return {"worker": f"last heartbeat {age:.0f} s ago" if age > HEARTBEAT_AGE else None}


def _broker_trouble(settings: Settings) -> str | None:
    try:
        probe_writing(settings)
    except IyuError as error:
        return str(error)
    return None


def _model_trouble() -> str | None:
    from iyu.worker.model.artifact import locate, read_manifest
    from iyu.worker.settings import WorkerSettings

    try:
        read_manifest(locate(WorkerSettings.load().model))
    except IyuError as error:
        return str(error)
    return None


def _database_trouble(settings: Settings) -> str | None:
    try:
        with open_database(settings.database):
            return None
    except IyuError as error:
        return str(error)
