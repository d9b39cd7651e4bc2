"""The tasks that Celery calls: read the message, do the work; requeue it where that fails.

A task is the first of at most six frames of iyu down to SQL, so retries and requeueing are loops
and context managers here, not functions around the work.
"""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from celery import Celery
from celery.exceptions import Reject
from sqlalchemy import Engine
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from iyu.schemas.contract.errors import DatabaseUnavailable, IyuError, MessageError
from iyu.schemas.contract.logs import describe, summary
from iyu.schemas.contract.message import TASK, Chunk, read_chunk, read_purpose
from iyu.schemas.contract.review import Reason, Rejection
from iyu.schemas.ledger.dead_letters import bury_raw
from iyu.schemas.ledger.heartbeats import beat, forget_dead, sweep_heartbeat
from iyu.schemas.sql.engine import writing
from iyu.worker.chunk import score_chunk
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.service.child_process import WorkerProcess
from iyu.worker.service.sweeper import sweep
from iyu.worker.settings import WorkerSettings
from iyu.worker.transport.envelope import BURY_TASK, SWEEP_TASK

log = logging.getLogger("iyu.worker")

#: Seconds before a message that failed for an unforeseen reason is requeued: no busy loop.
UNFORESEEN_PAUSE: Final = 1.0


def register(app: Celery, process: WorkerProcess) -> None:
    """Give the application its tasks; what they need is loaded in the process they run in."""
    _register_scoring(app, process)
    _register_burial(app, process)
    _register_sweep(app, process)


def _register_scoring(app: Celery, process: WorkerProcess) -> None:
    @app.task(name=TASK, bind=True, typing=False, shared=False)  # type: ignore[untyped-decorator]
    def _score_chunk(task: Any, *args: Any, **kwargs: Any) -> None:
        runtime = process.runtime
        with _requeued_on_error():
            for attempt in _attempts(runtime.settings):
                with attempt:
                    try:
                        chunk, rejected = _read(task.request, args, kwargs)
                    except MessageError as error:
                        raw = json.dumps([args, kwargs], ensure_ascii=False)
                        _bury_message(runtime.engine, raw, Reason.BAD_MESSAGE, str(error))
                    else:
                        score_chunk(runtime, chunk, rejected)


def _register_burial(app: Celery, process: WorkerProcess) -> None:
    @app.task(name=BURY_TASK, typing=False, shared=False)  # type: ignore[untyped-decorator]
    def _bury(*args: Any, **_: Any) -> None:
        runtime = process.runtime
        with _requeued_on_error():
            for attempt in _attempts(runtime.settings):
                with attempt:
                    raw, reason, error = (*map(str, args), "", "", "")[:3]
                    _bury_message(runtime.engine, raw, reason, error)


def _register_sweep(app: Celery, process: WorkerProcess) -> None:
    @app.task(name=SWEEP_TASK, shared=False)  # type: ignore[untyped-decorator]
    def _sweep() -> None:
        runtime = process.runtime
        try:
            sweep(runtime.settings, runtime.engine, runtime.publisher)
        except IyuError as error:
            log.warning("this sweep did nothing: %s", error)
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


@contextmanager
def _requeued_on_error() -> Iterator[None]:
    """Return the message to the broker where the work fails for no fault of the message.

    Celery would acknowledge a task that raised, and log an error that may hold a review.
    """
    try:
        yield
    except DatabaseUnavailable as error:
        log.warning("%s; message handed back", error)
        raise Reject(str(error), requeue=True) from None
    except Exception as error:
        log.error("unforeseen %s: message handed back", summary(error), extra=describe(error))
        time.sleep(UNFORESEEN_PAUSE)
        raise Reject(type(error).__name__, requeue=True) from None


def _attempts(settings: WorkerSettings) -> Retrying:
    """Return attempts with growing pauses while the database does not answer."""
    return Retrying(
        retry=retry_if_exception_type(DatabaseUnavailable),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        stop=stop_after_delay(settings.patience),
        reraise=True,
    )


def _read(
    request: Any, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Chunk, list[tuple[Rejection, object]]]:
    """Return a message's chunk and rejected reviews. Raises MessageError."""
    known = {"source", "batch_id", "submitted_at"}
    if len(args) != 2 or set(kwargs) - known:
        raise MessageError(
            "it takes chunk_id and reviews, and by name source, batch_id, submitted_at; "
            "see iyu/schemas/contract/message.schema.json"
        )
    queue = str((request.delivery_info or {}).get("routing_key"))
    return read_chunk(
        args[0],
        args[1],
        kwargs.get("source"),
        kwargs.get("batch_id"),
        kwargs.get("submitted_at"),
        read_purpose(queue),
    )


def _bury_message(engine: Engine, raw: str, reason: str, error: str) -> None:
    """Make a dead letter of a message that cannot be scored."""
    known = Reason(reason) if reason in set(Reason) else Reason.BAD_MESSAGE
    log.error("a message breaks the contract, it is a dead letter now: %s", error[:200])
    with writing(engine) as connection:
        bury_raw(connection, raw, known, error[:1000])
