"""A worker without its processes: the real guard, tasks, ledger and database, in this process.

What the tasks publish goes to kombu's queues in memory, and is delivered again from there.
"""

import json
import zlib
from base64 import b64decode
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

from celery import Celery
from celery.exceptions import Reject
from kombu.transport import virtual
from sqlalchemy import Engine

from iyu.schemas.broker.publisher import Publisher
from iyu.worker.chunk import Runtime
from iyu.worker.service.celery_app import make_worker_app
from iyu.worker.service.celery_tasks import register
from iyu.worker.settings import WorkerSettings
from iyu.worker.transport.message_guard import admit_message
from iyu.worker.transport.redis_transport import _read_json

#: Deliveries of one message, its parts included, after which it counts as without end.
MANY: Final = 3_000


@dataclass
class GuardedWorker:
    """Takes elements of queues as a worker does; `outcomes` counts what became of them."""

    engine: Engine
    scorer: Any
    outcomes: Counter[str] = field(default_factory=Counter)
    pauses: list[float] = field(default_factory=list)  # seconds that were waited after failures

    def __post_init__(self) -> None:
        self.settings = WorkerSettings.load(database_patience=0)
        self.app: Celery = make_worker_app(self.settings)
        self.app.conf.update(broker_url="memory://", broker_transport="memory")
        publisher = Publisher(self.app, "memory://")
        self.runtime = Runtime(self.settings, self.engine, self.scorer, publisher)
        process: Any = SimpleNamespace(runtime=self.runtime)
        register(self.app, process)

    def serve(self, element: bytes, queue: str) -> None:
        """Deliver an element, and what it leads to, until nothing is left in any queue."""
        waiting = [(element, queue)]
        for _ in range(MANY):
            if not waiting:
                return
            if not self.deliver(*waiting[0]):
                waiting.append(waiting[0])
            waiting = waiting[1:] + self._published()
        raise AssertionError(f"not at an end after {MANY} deliveries: {element[:1000]!r}")

    def deliver(self, element: bytes, queue: str) -> bool:
        """Deliver an element once; False: it was handed back."""
        message = json.loads(admit_message(element, queue))
        headers, body = message["headers"], message["body"].encode()
        properties = message["properties"]
        if properties["body_encoding"] == "base64":
            body = b64decode(body)
        if headers.get("compression"):
            body = zlib.decompress(body)
        decoded: Any = _read_json(body)
        args, kwargs, embed = decoded
        assert not any((embed or {}).values())
        task = self.app.tasks[headers["task"]]
        task.push_request(**headers, delivery_info=properties["delivery_info"])
        try:
            task.run(*args, **kwargs)
        except Reject:
            self.outcomes["handed back"] += 1
            return False
        finally:
            task.pop_request()
        self.outcomes[headers["task"]] += 1
        return True

    def _published(self) -> list[tuple[bytes, str]]:
        found = []
        with self.app.connection_for_read() as connection:
            channel: virtual.Channel = connection.default_channel
            for name, waiting in list(channel.queues.items()):
                while not waiting.empty():
                    found.append((json.dumps(waiting.get()).encode(), name))
        return found
