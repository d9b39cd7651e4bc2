"""The tasks that Celery calls: read the message, do the work; requeue it where that fails.

A task is the first of at most six frames of iyu down to SQL, so retries and requeueing are loops
and context managers here, not functions around the work.
"""

import logging
from typing import Any

from celery import Celery
from sqlalchemy import Engine
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from iyu.schemas.contract.errors import DatabaseUnavailable, IyuError, MessageError
from iyu.schemas.contract.logs import describe, summary
from iyu.schemas.contract.message import TASK
from iyu.schemas.contract.review import Reason
from iyu.schemas.ledger.heartbeats import beat, forget_dead, sweep_heartbeat
from iyu.schemas.sql.engine import writing
from iyu.worker.chunk import score_chunk
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.service.child_process import WorkerProcess
from iyu.worker.service.failures import (
    LONGEST_PAUSE,
    Delivery,
    bury_message,
    ending_failures,
    handing_back,
)
from iyu.worker.service.sweeper import sweep
from iyu.worker.settings import WorkerSettings
from iyu.worker.transport.envelope import BURY_TASK, FAILURES, SWEEP_TASK

log = logging.getLogger("iyu.worker")


def register(app: Celery, process: WorkerProcess) -> None:
    """Give the application its tasks; what they need is loaded in the process they run in."""
    _register_scoring(app, process)
    _register_burial(app, process)
    _register_sweep(app, process)


def _register_scoring(app: Celery, process: WorkerProcess) -> None:
    # Positional only: a publisher's keyword `task` would otherwise fail before it is caught here.
    @app.task(name=TASK, bind=True, typing=False, shared=False)  # type: ignore[untyped-decorator]
    def _score_chunk(task: Any, /, *args: Any, **kwargs: Any) -> None:
        runtime = process.runtime
        queue = str((task.request.delivery_info or {}).get("routing_key"))
        failures = task.request.get(FAILURES, 0)
        delivery = Delivery(str(task.request.id), queue, failures, args, kwargs)
        with ending_failures(app, runtime, delivery):
            for attempt in _attempts(runtime.settings):
                with attempt:
                    try:
                        chunk, rejected = delivery.read()
                    except MessageError as error:
                        bury_message(runtime, delivery.as_text(), Reason.BAD_MESSAGE, str(error))
                    else:
                        score_chunk(runtime, chunk, rejected)


def _register_burial(app: Celery, process: WorkerProcess) -> None:
    @app.task(name=BURY_TASK, typing=False, shared=False)  # type: ignore[untyped-decorator]
    def _bury(*args: Any, **_: Any) -> None:
        runtime = process.runtime
        with handing_back(LONGEST_PAUSE):
            for attempt in _attempts(runtime.settings):
                with attempt:
                    raw, reason, error = (*map(str, args), "", "", "")[:3]
                    bury_message(runtime, raw, reason, error)


def _register_sweep(app: Celery, process: WorkerProcess) -> None:
    @app.task(name=SWEEP_TASK, shared=False)  # type: ignore[untyped-decorator]
    def _sweep() -> None:
        runtime = process.runtime
        try:
            sweep(runtime.settings, runtime.engine, runtime.publisher)
        except IyuError as error:
            log.warning("this sweep did nothing: %s", error)
        except Exception as error:  # Celery would log its traceback
            log.error("unforeseen %s: this sweep broke off", summary(error), extra=describe(error))
        else:
            _note_sweep(runtime.engine)
        try:
            add_all_deltas(runtime.engine)
        except IyuError as error:
            log.warning("words are not up to date: %s", error)


def _note_sweep(engine: Engine) -> None:
    """Write down that a sweep has run, and forget workers that ended long ago."""
    try:
        with writing(engine) as connection:
            beat(connection, sweep_heartbeat())
            forget_dead(connection)
    except IyuError as error:
        log.warning("%s; the sweep is not written down", error)


def _attempts(settings: WorkerSettings) -> Retrying:
    """Return attempts with growing pauses while the database does not answer."""
    return Retrying(
        retry=retry_if_exception_type(DatabaseUnavailable),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        stop=stop_after_delay(settings.patience),
        reraise=True,
    )
