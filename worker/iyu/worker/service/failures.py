"""The floor below every task: whatever raises for a reason nobody foresaw ends, and is counted.

Handed back as it is, such a message would come again for ever, and as many of them as there are
processes would stop a worker. So each failure is counted where it survives the process: in the
chunk's row, and in a header of the message, for the row may be what cannot be written. The message
that carries the count goes to the end of its queue before the old one is acknowledged. After
MAX_FAILURES it is given up: split into its reviews, or dead letters.
"""

import json
import logging
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson
from celery import Celery
from celery.exceptions import Reject
from sqlalchemy.exc import DataError, IntegrityError

from iyu.schemas.broker.broker_errors import raising_broker_errors
from iyu.schemas.broker.publisher import DEFLATE_LEVEL
from iyu.schemas.contract.errors import (
    ArtifactError,
    BrokerUnavailable,
    DatabaseUnavailable,
    MessageError,
)
from iyu.schemas.contract.logs import describe, summary
from iyu.schemas.contract.message import TASK, Chunk, Queue, read_chunk, read_purpose
from iyu.schemas.contract.readable_parts import show_message, shown_names
from iyu.schemas.contract.review import Reason, Rejection
from iyu.schemas.erasure.late_messages import is_erased, without_erased
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.chunks import Failure, State
from iyu.schemas.ledger.dead_letters import bury_raw, bury_rejection, bury_review
from iyu.schemas.sql.engine import writing
from iyu.worker.chunk import Runtime
from iyu.worker.failing_model import ModelFails
from iyu.worker.split_or_bury import PART_ATTEMPTS, split_or_bury
from iyu.worker.transport.envelope import FAILURES

log = logging.getLogger("iyu.worker")

#: Unforeseen failures after which a message is given up.
MAX_FAILURES: Final = 5
#: Seconds before a message that failed comes again: doubled each time, up to the longest.
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 8.0
#: What a message gives by name.
_NAMED: Final = {"source", "batch_id", "submitted_at", "written_at"}
#: Seconds before a chunk goes back that this worker's model fails or may not score.
MODEL_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A chunk's message, as it was delivered."""

    task_id: str
    queue: str
    failures: int  # as its header says
    args: Sequence[Any]
    kwargs: dict[str, Any]

    def read(self) -> tuple[Chunk, list[tuple[Rejection, object]]]:
        """Return the chunk and the rejected reviews. Raises MessageError."""
        if len(self.args) != 2 or set(self.kwargs) - _NAMED:
            raise MessageError(
                "it takes chunk_id and reviews, and by name source, submitted_at, batch_id, "
                "written_at; see iyu/schemas/contract/message.schema.json"
            )
        return read_chunk(
            self.args[0],
            self.args[1],
            self.kwargs.get("source"),
            self.kwargs.get("batch_id"),
            self.kwargs.get("submitted_at"),
            read_purpose(self.queue),
            self.kwargs.get("written_at"),
        )

    def as_text(self) -> str:
        """Return it as a dead letter keeps it."""
        return show_message({"args": list(self.args), "kwargs": self.kwargs})


@contextmanager
def ending_failures(app: Celery, runtime: Runtime, delivery: Delivery) -> Iterator[None]:
    """Count what the work raises unforeseen, and give the message up in the end.

    Trouble with the database or the broker is no fault of a message: it is handed back, uncounted.
    Celery by itself would acknowledge a task that raised, and log an error that may hold a review.
    """
    try:
        with handing_back():
            yield
    except Reject:  # handed back already
        raise
    except Exception as error:
        reason = Reason.UNFORESEEN
        if isinstance(error, DataError | IntegrityError):
            reason = Reason.STORE_FAILED
        with handing_back(LONGEST_PAUSE):
            _count(app, runtime, delivery, reason, error)


@contextmanager
def handing_back(pause: float | None = None) -> Iterator[None]:
    """Return the message to the broker where a side or this worker's model is at fault.

    pause: seconds to wait before it is returned for any other error; None: raise that error.
    """
    try:
        yield
    except (DatabaseUnavailable, BrokerUnavailable) as error:
        log.warning("%s; message handed back", error)
        raise Reject(str(error), requeue=True) from None
    except (ArtifactError, ModelFails) as error:
        log.error("%s; message handed back", error)
        time.sleep(MODEL_PAUSE)
        raise Reject(str(error), requeue=True) from None
    except Exception as error:
        if pause is None:
            raise
        log.error("unforeseen %s: message handed back", summary(error), extra=describe(error))
        time.sleep(pause)
        raise Reject(type(error).__name__, requeue=True) from None


def bury_message(runtime: Runtime, raw: str, reason: str, error: str) -> None:
    """Make a dead letter of a message that cannot be scored."""
    known = Reason(reason) if reason in set(Reason) else Reason.BAD_MESSAGE
    log.error("a message cannot be scored (%s), it is a dead letter now", known)
    with writing(runtime.engine) as connection:
        bury_raw(connection, raw, known, error, **shown_names(raw))


def _count(
    app: Celery, runtime: Runtime, delivery: Delivery, reason: Reason, error: Exception
) -> None:
    """Count a failure; send the message again, or give it up.

    Raises DatabaseUnavailable, BrokerUnavailable.
    """
    kind = type(error).__name__
    chunk: Chunk | None = None
    rejected: list[tuple[Rejection, object]] = []
    with suppress(MessageError):
        chunk, rejected = delivery.read()
    queue = _queue_for_suspects(runtime, delivery.queue)
    failure = _count_in_ledger(runtime, chunk, kind, queue)
    failures = max(delivery.failures + 1, failure.failures if failure else 0)
    limit = PART_ATTEMPTS if failure and failure.is_part else MAX_FAILURES
    if failures >= limit:
        _give_up(runtime, delivery, chunk, rejected, failure, reason, f"{kind}, {failures} times")
        return
    log.error(
        "unforeseen %s: message %s failed %d times",
        summary(error),
        delivery.task_id,
        failures,
        extra=describe(error),
    )
    time.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)))
    _publish_again(app, runtime, delivery, queue, failures)


def _queue_for_suspects(runtime: Runtime, queue: str) -> str:
    """Return the queue in which a message waits that failed: live reviews do not wait behind it."""
    return str(Queue.BULK) if queue == Queue.LIVE and runtime.serves_bulk else queue


def _count_in_ledger(
    runtime: Runtime, chunk: Chunk | None, kind: str, queue: str
) -> Failure | None:
    if chunk is None:
        return None
    try:
        with writing(runtime.engine) as connection:
            return ledger.count_failure(connection, chunk.chunk_id, kind, queue)
    except DatabaseUnavailable:
        raise
    except Exception as error:  # the message's header counts alone
        log.error("unforeseen %s while a failure was recorded", type(error).__name__)
        return None


def _publish_again(
    app: Celery, runtime: Runtime, delivery: Delivery, queue: str, failures: int
) -> None:
    """Publish a message with its count. Raises BrokerUnavailable: the old one is handed back."""
    message = app.amqp.as_task_v2(
        delivery.task_id,
        TASK,
        list(delivery.args),
        delivery.kwargs,
        argsrepr=f"({delivery.task_id})",
        kwargsrepr="{}",
    )
    message = message._replace(
        body=zlib.compress(_json(message.body), level=DEFLATE_LEVEL),
        headers=message.headers | {FAILURES: failures, "compression": "application/x-gzip"},
        properties=message.properties
        | {"content_type": "application/json", "content_encoding": "utf-8"},
    )
    with (
        raising_broker_errors(runtime.settings.broker),
        app.producer_pool.acquire(block=True) as producer,
    ):
        app.amqp.send_task_message(producer, TASK, message, queue=queue, retry=False)


def _json(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # a lone surrogate, or an integer past 64 bits
        return json.dumps(value).encode()


def _give_up(
    runtime: Runtime,
    delivery: Delivery,
    chunk: Chunk | None,
    rejected: Sequence[tuple[Rejection, object]],
    failure: Failure | None,
    reason: Reason,
    error: str,
) -> None:
    """Split the chunk, or keep its reviews as dead letters, or else the message as it is."""
    log.error("message %s is given up: unforeseen %s", delivery.task_id, error)
    if chunk and failure:
        with _next_way_on_error():
            split_or_bury(
                runtime.engine, runtime.publisher, chunk, failure.accepted_at, reason, error
            )
            return
    if chunk:
        with _next_way_on_error():
            _bury_reviews(runtime, chunk, rejected, reason, error)
            return
    with _next_way_on_error():
        _bury_whole(runtime, chunk, delivery.as_text(), reason, error)
        return
    raw = json.dumps([delivery.task_id, "its content cannot be kept"])
    _bury_whole(runtime, chunk, raw, reason, error)


@contextmanager
def _next_way_on_error() -> Iterator[None]:
    try:
        yield
    except DatabaseUnavailable:
        raise
    except Exception as error:
        log.error("unforeseen %s while a message was given up", type(error).__name__)


def _bury_reviews(
    runtime: Runtime,
    chunk: Chunk,
    rejected: Sequence[tuple[Rejection, object]],
    reason: Reason,
    error: str,
) -> None:
    """Keep the reviews of a chunk that the ledger could not even begin."""
    with writing(runtime.engine) as connection:
        present = without_erased(connection, chunk, None)
        ledger.finish(connection, chunk.chunk_id, State.DEAD)
        for review in present.reviews:
            bury_review(connection, chunk, review, reason, error)
        for rejection, raw in rejected:
            if not is_erased(connection, chunk, rejection.review_id):
                bury_rejection(connection, chunk, rejection, raw)


def _bury_whole(
    runtime: Runtime, chunk: Chunk | None, raw: str, reason: Reason, error: str
) -> None:
    with writing(runtime.engine) as connection:
        if chunk:
            ledger.finish(connection, chunk.chunk_id, State.DEAD)
        bury_raw(connection, raw, reason, error, **shown_names(raw))
