"""What Redis holds of our messages: how many wait, which is next, which nobody acknowledged."""

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import orjson
import redis

from iyu.schemas.broker.publisher import translated
from iyu.schemas.contract.settings import Settings

#: kombu's hash of messages that were taken and not acknowledged.
UNACKNOWLEDGED: Final = "unacked"
_REDIS: Final = ("redis://", "rediss://")


@dataclass(frozen=True, slots=True)
class Line:
    """One queue, as it stands in the broker."""

    waiting: int  # messages
    first_id: str | None  # the chunk that is next; None if there is none, or it cannot be read


def is_redis(settings: Settings) -> bool:
    """Say whether the broker is one that can be looked into."""
    return settings.broker.startswith(_REDIS)


def client(settings: Settings) -> redis.Redis:
    """Return a plain client of the broker that waits 5 seconds at most."""
    return redis.Redis.from_url(settings.broker, socket_timeout=5, socket_connect_timeout=5)


def look(settings: Settings, queues: Collection[str]) -> tuple[dict[str, Line], frozenset[str]]:
    """Return each queue's line, and the chunks that a worker holds or held when it died.

    The lines are read first: a message that moves meanwhile is seen twice rather than never.

    Raises BrokerUnavailable.
    """
    with translated(settings.broker), closing(client(settings)) as broker:
        lines = {queue: _line(broker, queue) for queue in queues}
        held: Any = broker.hvals(UNACKNOWLEDGED)
    return lines, frozenset(filter(None, map(_held_id, held)))


def waiting(settings: Settings, queues: Collection[str]) -> int:
    """Count the messages that wait in these queues.

    Raises BrokerUnavailable.
    """
    with translated(settings.broker), closing(client(settings)) as broker:
        return sum(int(broker.llen(queue)) for queue in queues)


def _line(broker: redis.Redis, queue: str) -> Line:
    first: Any = broker.lindex(queue, -1)  # workers take from the right
    length: Any = broker.llen(queue)
    return Line(int(length), _id(first) if first else None)


def _id(item: bytes) -> str | None:
    try:
        return str(orjson.loads(item)["headers"]["id"])
    except (ValueError, KeyError, TypeError):
        return None


def _held_id(entry: bytes) -> str | None:
    try:
        return str(orjson.loads(entry)[0]["headers"]["id"])
    except (ValueError, KeyError, TypeError, IndexError):
        return None
