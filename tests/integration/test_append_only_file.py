"""What Redis' append-only file keeps of a message, and until when: docs/privacy.md says it."""

import json
from contextlib import suppress
from pathlib import Path

from iyu.producer import Producer
from iyu.schemas.contract.message import Queue
from tests.conftest import make_tables
from tests.harness.polling import poll
from tests.harness.services import RedisServer


def holds(server: RedisServer, part: bytes) -> bool:
    """Whether any of Redis' files holds these bytes."""
    found = b""
    for path in Path(server.folder).rglob("*"):
        with suppress(OSError):  # a folder, or a file that the rewrite has just replaced
            found += path.read_bytes()
    return part in found


def test_a_rewrite_of_the_file_drops_what_was_taken(redis_server: RedisServer, sqlite_url: str):
    make_tables(sqlite_url)
    with Producer(source="shop", broker_url=redis_server.url, database_url=sqlite_url) as producer:
        producer.submit_many([("1", "010-2345-6789 김")])
    with redis_server.client() as client:
        message = client.lindex(Queue.LIVE, 0)
        body = json.loads(message)["body"].encode()
        poll(10, lambda: holds(redis_server, body))
        client.rpop(Queue.LIVE)
        client.bgrewriteaof()
        poll(20, lambda: not client.info("persistence")["aof_rewrite_in_progress"])
        poll(20, lambda: not holds(redis_server, body))
        assert client.ping()
