"""The Celery application of both sides, and the one place that publishes chunks."""

import zlib
from collections.abc import Sequence
from typing import Any, Final

import orjson
from celery import Celery
from kombu import Exchange
from kombu import Queue as KombuQueue
from sqlalchemy import Engine

from iyu.schemas.broker.broker_errors import raising_broker_errors
from iyu.schemas.broker.redis_address import ANSWER_SECONDS, kombu_broker
from iyu.schemas.contract.message import TASK, Chunk, Queue
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger.chunks import mark_published
from iyu.schemas.sql.engine import writing

#: The lightest: a sixth of the time of zlib's default, for a seventh more in Redis.
DEFLATE_LEVEL: Final = 1


def make_app(settings: Settings) -> Celery:
    """Return a Celery application that publishes and reads chunks; it connects when first used.

    Raises SettingsError for a broker that is not Redis.
    """
    broker = kombu_broker(settings)
    app = Celery("iyu", broker=broker.url)
    app.conf.broker_use_ssl = broker.tls
    exchange = Exchange("reviews", type="direct")
    app.conf.update(
        task_queues=[KombuQueue(name, exchange, routing_key=name) for name in Queue],
        task_default_queue=Queue.BULK.value,
        task_default_exchange="reviews",
        task_default_routing_key=Queue.BULK.value,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        broker_transport_options={
            **broker.options,
            "visibility_timeout": settings.visibility_timeout,
            # Serve queues in the order they are listed: live, then bulk.
            "queue_order_strategy": "priority",
            # kombu's default is no timeout at all: a half-open connection would hang for ever.
            "socket_timeout": ANSWER_SECONDS,
            "socket_connect_timeout": ANSWER_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 5,
            "retry_on_timeout": True,
            # What a dead worker held comes back soon after the visibility timeout, not up to
            # 100 s later, and not 300 s later because it died while it restored others.
            "unacked_restore_interval": max(1, min(10, settings.visibility_timeout // 5)),
            "unacked_restore_throttle": 1,
            "unacked_mutex_expire": 30,
        },
        broker_connection_timeout=ANSWER_SECONDS,
    )
    return app


class Publisher:
    """Publishes chunks over one kept connection."""

    def __init__(self, app: Celery, address: str) -> None:
        self._app = app
        self._address = address

    def publish(self, chunks: Sequence[Chunk]) -> None:
        """Publish chunks in order.

        Raises BrokerUnavailable, BrokerFull: those before the one that failed stay published.
        """
        pool = self._app.producer_pool
        with raising_broker_errors(self._address), pool.acquire(block=True) as producer:
            for chunk in chunks:
                self._app.amqp.send_task_message(
                    producer, TASK, self._message(chunk), queue=chunk.queue, retry=False
                )

    def _message(self, chunk: Chunk) -> Any:
        args, kwargs = chunk.arguments()
        message = self._app.amqp.as_task_v2(
            chunk.chunk_id,
            TASK,
            args,
            kwargs,
            # Celery would copy the reviews into a header, and from there into logs.
            argsrepr=f"({chunk.chunk_id}, {len(chunk.reviews)} reviews)",
            kwargsrepr="{}",
        )
        return _packed(message)


def publish_and_mark(publisher: Publisher, engine: Engine, chunks: Sequence[Chunk]) -> None:
    """Publish chunks that the ledger holds already, then record in the ledger that they went out.

    In this order: a chunk published and not recorded is at worst published twice, which is
    harmless; one recorded and not published would wait for the sweeper.

    Raises BrokerUnavailable, DatabaseUnavailable: the sweeper publishes what is left.
    """
    if chunks:
        publisher.publish(chunks)
        with writing(engine) as connection:
            mark_published(connection, [chunk.chunk_id for chunk in chunks])


def _packed(message: Any) -> Any:
    """Write the body as kombu would, in an eighth of the time: UTF-8, deflated lightly."""
    return message._replace(
        body=zlib.compress(orjson.dumps(message.body), level=DEFLATE_LEVEL),
        headers=message.headers | {"compression": "application/x-gzip"},  # kombu's name for zlib
        properties=message.properties
        | {"content_type": "application/json", "content_encoding": "utf-8"},
    )
