"""Messages that a worker took and did not acknowledge come back, whatever lies among them."""

import json

import pytest

from iyu.schemas.contract.message import TASK, Queue
from iyu.worker.service.celery_app import make_worker_app
from iyu.worker.settings import WorkerSettings
from iyu.worker.transport.envelope import BURY_TASK
from tests.harness.fuzzing import good_message
from tests.harness.services import RedisServer


@pytest.mark.parametrize("record", [b"no record \xff", b"[]", b"null", b'["a", "b"]', b"[1, 2, 3]"])
def test_an_unreadable_record_keeps_no_message_from_coming_back(
    redis_server: RedisServer, sqlite_url: str, record: bytes
):
    settings = WorkerSettings.load(broker_url=redis_server.url, database_url=sqlite_url)
    whole = json.dumps([json.loads(good_message("1")), "", Queue.BULK])
    app = make_worker_app(settings)
    with redis_server.client() as client, app.connection_for_read() as connection:
        client.hset("unacked", mapping={"bad": record, "whole": whole})
        client.zadd("unacked_index", {"bad": 2, "whole": 1})  # the later one is put back first
        connection.default_channel.qos.restore_visible(interval=1)
        assert not client.hlen("unacked")
        assert not client.zcard("unacked_index")
        tasks = [
            json.loads(element)["headers"]["task"] for element in client.lrange(Queue.BULK, 0, -1)
        ]
    assert TASK in tasks
    assert set(tasks) <= {TASK, BURY_TASK}
