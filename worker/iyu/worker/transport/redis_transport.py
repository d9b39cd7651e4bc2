"""Corrections to kombu's Redis transport and Celery's consumer: no message is lost or logged."""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Final

import orjson
import redis
from celery.worker.consumer import Consumer
from kombu import serialization
from kombu.transport import redis as kombu_redis
from kombu.transport import virtual
from kombu.utils import json as kombu_json

from iyu.schemas.broker.broker_errors import broker_trouble
from iyu.schemas.broker.redis_contents import lists_of
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.review import Reason
from iyu.worker.transport.envelope import burial_message
from iyu.worker.transport.message_guard import admit_message

log = logging.getLogger("iyu.worker")

#: Seconds before a worker connects again to a broker that refused a command.
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0
#: Seconds without an error after which the next pause is the first one again.
WELL_AFTER: Final = 10.0


class _Client(redis.Redis):
    """Passes every element that a worker takes from a queue through the message guard."""

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        reply = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name != "BRPOP" or not reply:
            return reply
        key, element = reply
        queue = key.decode().rsplit(kombu_redis.Channel.sep, 1)[0]
        return key, admit_message(element, queue)


class _QoS(kombu_redis.QoS):  # type: ignore[misc]
    """Records the messages that are not acknowledged yet."""

    def append(self, message: Any, delivery_tag: str) -> None:
        """Record that a message was taken; one that cannot be recorded is processed all the same.

        At its maxmemory, or with a full disk, Redis accepts no record. Failing would lose the
        message, which has left the queue already; processing it frees memory.
        """
        try:
            super().append(message, delivery_tag)
        except redis.exceptions.ResponseError as error:
            log.warning(
                "the broker refuses a record (%s): a message is processed unrecorded",
                type(error).__name__,
            )
            virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message; if the connection is lost, forget it here."""
        with self._forgotten_on_error(delivery_tag):
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Put a message back; if the connection is lost, forget it here."""
        with self._forgotten_on_error(delivery_tag):
            super().reject(delivery_tag, requeue)

    def restore_visible(self, *args: Any, **options: Any) -> None:
        """Put back what nobody acknowledged in time; at the maxmemory, try again later."""
        with suppress(redis.exceptions.OutOfMemoryError):
            super().restore_visible(*args, **options)

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Put a message back; a record that cannot be read becomes a dead letter.

        Left where it is, it would keep every message behind it from coming back.
        """
        try:
            super().restore_by_tag(tag, client, leftmost)
        except (ValueError, TypeError, LookupError):
            with self.channel.conn_or_acquire(client) as acquired:
                self._bury(acquired, tag)

    def _bury(self, client: Any, tag: Any) -> None:
        record = (client.hget(self.unacked_key, tag) or b"").decode(errors="replace")
        error = "a record of a message that was taken, which cannot be read"
        client.rpush(Queue.BULK, burial_message(record, Reason.BAD_MESSAGE, error, Queue.BULK))
        self._remove_from_indices(tag, client.pipeline()).execute()

    @contextmanager
    def _forgotten_on_error(self, delivery_tag: str) -> Iterator[None]:
        """Forget a message that cannot be acknowledged: the broker delivers it again.

        Otherwise kombu counts it as held for ever. At its limit a worker takes no other message,
        so it would never notice that the connection is lost, and stall.
        """
        try:
            yield
        except redis.exceptions.ResponseError as error:
            log.warning("the broker refuses an acknowledgement (%s)", type(error).__name__)
            virtual.QoS.ack(self, delivery_tag)
        except self.channel.connection_errors:
            virtual.QoS.ack(self, delivery_tag)
            raise

    @contextmanager
    def pipe_or_acquire(self, pipe: Any = None, client: Any = None) -> Iterator[Any]:
        """Give a pipeline without MULTI: at its maxmemory Redis rejects even an ack in one."""
        if pipe:
            yield pipe
        else:
            with self.channel.conn_or_acquire(client) as acquired:
                yield acquired.pipeline(transaction=False)


class _Channel(kombu_redis.Channel):  # type: ignore[misc]
    QoS = _QoS

    def _get_client(self) -> Any:
        super()._get_client()  # it checks redis-py's version
        return _Client

    def _size(self, queue: str) -> int:
        with self.conn_or_acquire() as client:
            return sum(client.llen(key) for key in lists_of(queue))

    def _queue_bind(self, *args: Any) -> None:
        # At the maxmemory a worker must be able to start. Our messages name their queue and need
        # no binding.
        with suppress(redis.exceptions.OutOfMemoryError):
            super()._queue_bind(*args)


class _SentinelChannel(_Channel, kombu_redis.SentinelChannel):  # type: ignore[misc]
    pass


#: Redis refuses commands while its disk is full (MISCONF), after a failover (READONLY), where a
#: right is missing (NOPERM). To Celery that would be the end of the worker; what helps is to
#: connect again until it is well.
_CONNECTION_ERRORS: Final = (
    *kombu_redis.Transport.connection_errors,
    redis.exceptions.ResponseError,
)


class Transport(kombu_redis.Transport):  # type: ignore[misc]
    """The setting `broker_transport` of a worker."""

    Channel = _Channel
    connection_errors = _CONNECTION_ERRORS


class SentinelTransport(kombu_redis.SentinelTransport):  # type: ignore[misc]
    """The same where the broker is found through Sentinels."""

    Channel = _SentinelChannel
    connection_errors = _CONNECTION_ERRORS


class QuietConsumer(Consumer):  # type: ignore[misc]
    """The setting `worker_consumer`: pauses before it connects again, and buries unlogged.

    What Celery cannot handle becomes a dead letter; after the message guard nothing should come.
    """

    _pause = FIRST_PAUSE
    _failed_at = 0.0

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Report what is wrong, and pause."""
        super().on_connection_error_before_connected(self._explain(exc))
        self._wait()

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Report what is wrong, and pause."""
        super().on_connection_error_after_connected(self._explain(exc))
        self._wait()

    def _explain(self, error: Exception) -> Exception:
        """Return what Celery may log: redis-py's own text of a refusal may quote a message."""
        if isinstance(error, redis.exceptions.ResponseError):
            return broker_trouble(self.app.conf.broker_url, error)
        return error

    def _wait(self) -> None:
        """Wait longer each time that it fails again.

        A broker that refuses commands accepts connections, so Celery would connect without end.
        """
        if monotonic() - self._failed_at > WELL_AFTER:
            self._pause = FIRST_PAUSE
        time.sleep(self._pause)
        self._pause = min(LONGEST_PAUSE, 2 * self._pause)
        self._failed_at = monotonic()

    def create_task_handler(self, *args: Any, **options: Any) -> Any:
        """Keep Celery's handler, for the burial messages."""
        self._receive = super().create_task_handler(*args, **options)
        return self._receive

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Bury what cannot be decoded."""
        self._bury(message, exc)

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """Bury what is no task."""
        self._bury(message, None)

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Bury what nobody can run."""
        self._bury(message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Bury what breaks Celery's protocol."""
        self._bury(message, exc)

    def _bury(self, message: Any, error: Exception | None) -> None:
        raw = message.body if isinstance(message.body, str) else repr(message.body)
        why = f"Celery cannot read it ({type(error).__name__ if error else 'no task'})"
        burial = json.loads(burial_message(raw, Reason.BAD_MESSAGE, why, ""))
        substitute = message.channel.Message(burial, channel=message.channel)
        message.headers, message.body = substitute.headers, substitute.body
        message.content_type, message.content_encoding = "application/json", "utf-8"
        message._decoded_cache = None
        self._receive(message)


def read_json_fast() -> None:
    """Let kombu read JSON with orjson in this process: a chunk is read in parent and child."""
    serialization.register(
        "json",
        kombu_json.dumps,
        _read_json,
        content_type="application/json",
        content_encoding="utf-8",
    )


def _read_json(data: str | bytes) -> object:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:  # a lone surrogate: only its review is rejected
        return kombu_json.loads(data)
