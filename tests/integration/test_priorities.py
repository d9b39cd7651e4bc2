"""Messages with a Celery priority: counted, and served in their queue's turn."""

import json
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty
from typing import Any

import pytest
from kombu import Consumer
from kombu.transport.redis import PRIORITY_STEPS, Channel
from sqlalchemy import Engine
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.schemas.broker.redis_contents import lists_of, read_queues
from iyu.schemas.contract.message import TASK, Queue, new_id
from iyu.worker.service.celery_app import SWEEP_QUEUE, make_worker_app
from iyu.worker.settings import WorkerSettings
from tests.harness.services import RedisServer


@pytest.fixture
def settings(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> WorkerSettings:
    with redis_server.client() as client:
        client.flushall()
    monkeypatch.setenv("IYU_BROKER_URL", redis_server.url)
    return WorkerSettings.load()


@pytest.fixture
def celery(settings: WorkerSettings) -> Iterator[Any]:
    made = make_worker_app(settings)
    yield made
    made.close()


def publish(redis_server: RedisServer, queue: str, priority: int) -> str:
    """Send a message as plain Celery does, with a priority."""
    from celery import Celery

    sender = Celery(broker=redis_server.url)
    message_id = new_id()
    sender.send_task(TASK, [message_id], task_id=message_id, queue=queue, priority=priority)
    sender.close()
    return message_id


def served(celery: Any, count: int) -> list[str]:
    """The ids of messages, in the order in which a worker takes them."""
    taken: list[str] = []
    with celery.connection_for_read() as connection:
        channel = connection.channel()
        channel.basic_qos(0, 0, False)
        consumer = Consumer(
            channel,
            celery.amqp.queues.values(),
            on_message=lambda message: (taken.append(message.headers["id"]), message.ack()),
            accept=["json"],
        )
        with consumer, suppress(Empty, TimeoutError):
            while len(taken) < count:
                connection.drain_events(timeout=5)
    return taken


def test_the_lists_are_those_that_kombu_writes():
    channel = Channel.__new__(Channel)
    channel.priority_steps = PRIORITY_STEPS
    assert lists_of("q") == [channel._q_for_pri("q", priority) for priority in PRIORITY_STEPS]


def test_a_queue_is_served_whole_before_the_next_one(redis_server: RedisServer, celery: Any):
    sent = [
        (queue, priority, publish(redis_server, queue, priority))
        for queue in (Queue.BULK, Queue.LIVE, SWEEP_QUEUE)
        for priority in (9, 0, 5, 0)
    ]
    turn = [SWEEP_QUEUE, Queue.LIVE, Queue.BULK]
    expected = sorted(sent, key=lambda row: (turn.index(row[0]), row[1]))
    assert served(celery, len(sent)) == [message_id for *_, message_id in expected]


def test_status_counts_every_priority(redis_server: RedisServer, engine: Engine, database_url: str,
                                      settings: WorkerSettings,
                                      monkeypatch: pytest.MonkeyPatch):  # fmt: skip
    monkeypatch.setenv("IYU_DATABASE_URL", database_url)
    for queue, priority in ((Queue.LIVE, 9), (Queue.LIVE, 0), (Queue.BULK, 4), ("celery", 6)):
        publish(redis_server, queue, priority)
    found = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert found["messages"] == {"reviews.live": 2, "reviews.bulk": 1}
    assert found["misdirected"] == 1


def test_the_sweeper_sees_the_message_that_is_served_next(
    redis_server: RedisServer, settings: WorkerSettings
):
    late = publish(redis_server, Queue.LIVE, 9)
    contents, _ = read_queues(settings, [Queue.LIVE])
    assert (contents[Queue.LIVE].messages, contents[Queue.LIVE].next_id) == (1, late)
    soon = publish(redis_server, Queue.LIVE, 0)
    contents, _ = read_queues(settings, [Queue.LIVE])
    assert (contents[Queue.LIVE].messages, contents[Queue.LIVE].next_id) == (2, soon)
