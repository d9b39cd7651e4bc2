"""The entry points that Celery calls: decode, call, acknowledge or hand back."""

import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from celery import Celery
from celery.exceptions import Reject
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from iyu.schemas.contract.errors import DatabaseUnavailable, IyuError, MessageError
from iyu.schemas.contract.message import TASK, read_chunk, read_purpose
from iyu.schemas.contract.review import Reason
from iyu.schemas.ledger.dead_letters import bury_raw
from iyu.schemas.sql.engine import writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.rows.add_to_keyword_days import fold_all
from iyu.worker.service.child_process import WorkerProcess
from iyu.worker.service.sweeper import sweep
from iyu.worker.settings import WorkerSettings
from iyu.worker.transport.envelope import BURY_TASK, SWEEP_TASK

log = logging.getLogger("iyu.worker")

#: Seconds before a message that failed for an unforeseen reason is handed back: no busy loop.
UNFORESEEN_PAUSE: Final = 1.0


def register(app: Celery, process: WorkerProcess) -> None:
    """Give the application its tasks; what they need is loaded in the process they run in."""

    @app.task(name=TASK, bind=True, typing=False)  # type: ignore[untyped-decorator]
    def _score_chunk(task: Any, *args: Any, **kwargs: Any) -> None:
        _or_hand_back(process.runtime, _handle, task.request, args, kwargs)

    @app.task(name=BURY_TASK, typing=False)  # type: ignore[untyped-decorator]
    def _bury(*args: Any, **_: Any) -> None:
        _or_hand_back(process.runtime, _bury_message, args)

    @app.task(name=SWEEP_TASK)  # type: ignore[untyped-decorator]
    def _sweep() -> None:
        runtime = process.runtime
        try:
            sweep(runtime.settings, runtime.engine, runtime.publisher)
        except IyuError as error:
            log.warning("this sweep did nothing: %s", error)
        try:
            fold_all(runtime.engine)
        except IyuError as error:
            log.warning("words are not up to date: %s", error)


def _or_hand_back(runtime: Runtime, work: Callable[..., None], *args: Any) -> None:
    """Do the work; where it fails for no fault of the message, the broker gets it back.

    Celery would acknowledge a task that raised, and log an error that may hold a review.
    """
    try:
        with_patience(runtime.settings, work, runtime, *args)
    except DatabaseUnavailable as error:
        log.warning("%s; message handed back", error)
        raise Reject(str(error), requeue=True) from None
    except Exception as error:
        log.error("unforeseen %s: message handed back", type(error).__name__)
        time.sleep(UNFORESEEN_PAUSE)
        raise Reject(type(error).__name__, requeue=True) from None


def _handle(runtime: Runtime, request: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Read the message and score it; one that breaks the contract is kept, not scored."""
    try:
        chunk, turned_away = _read(request, args, kwargs)
    except MessageError as error:
        raw = json.dumps([args, kwargs], ensure_ascii=False)
        _bury_message(runtime, [raw, Reason.BAD_MESSAGE, str(error)])
        return
    score_chunk(runtime, chunk, turned_away)


def _bury_message(runtime: Runtime, args: Sequence[Any]) -> None:
    """Keep a message that cannot be scored."""
    raw, reason, error = (*map(str, args), "", "", "")[:3]
    known = Reason(reason) if reason in set(Reason) else Reason.BAD_MESSAGE
    log.error("a message breaks the contract, it is a dead letter now: %s", error[:200])
    with writing(runtime.engine) as connection:
        bury_raw(connection, raw, known, error[:1000])


def _read(request: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    known = {"source", "batch_id", "submitted_at"}
    if len(args) != 2 or set(kwargs) - known:
        raise MessageError(
            "it takes chunk_id and reviews, and by name source, batch_id, submitted_at; "
            "see schemas/message.schema.json"
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


def with_patience(settings: WorkerSettings, call: Any, *args: Any) -> None:
    """Call, and call again with growing pauses while the database does not answer."""
    for attempt in Retrying(
        retry=retry_if_exception_type(DatabaseUnavailable),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        stop=stop_after_delay(settings.patience),
        reraise=True,
    ):
        with attempt:
            call(*args)
