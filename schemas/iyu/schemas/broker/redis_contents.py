"""What Redis holds of our messages: how many wait, which is next, which are unacknowledged."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
import redis

from iyu.schemas.broker.broker_errors import raising_broker_errors
from iyu.schemas.broker.redis_address import redis_client
from iyu.schemas.contract.settings import Settings

#: kombu's hash of messages that were taken and not acknowledged.
UNACKNOWLEDGED: Final = "unacked"
#: kombu keeps messages with a priority in lists of their own, named like this; iyu publishes
#: without one, others may. In the order in which workers serve them: 0 to 2 first, 9 last.
_PRIORITIES: Final = ("", "\x06\x163", "\x06\x166", "\x06\x169")
#: No delivery tag of kombu's, which are UUIDs.
_NO_MESSAGE: Final = "iyu.probe"


@dataclass(frozen=True, slots=True)
class QueueContents:
    """One queue, as the broker holds it."""

    messages: int  # of every priority
    next_id: str | None  # the chunk a worker takes next; None: there is none, or it is unreadable


def lists_of(queue: str) -> list[str]:
    """Return the Redis lists that hold a queue's messages, the one that is served first first."""
    return [queue + priority for priority in _PRIORITIES]


def read_queues(
    settings: Settings, queues: Collection[str]
) -> tuple[dict[str, QueueContents], frozenset[str]]:
    """Return each queue's contents, and the chunks that a worker holds or held when it died.

    The queues are read first: a message that moves meanwhile is seen twice rather than never.

    Raises BrokerUnavailable.
    """
    with raising_broker_errors(settings.broker), redis_client(settings) as client:
        contents = {queue: _contents(client, queue) for queue in queues}
        held: Any = client.hvals(UNACKNOWLEDGED)
    return contents, frozenset(filter(None, map(_held_id, held)))


def count_messages(settings: Settings, queues: Collection[str]) -> dict[str, int]:
    """Count the messages that wait in each of these queues.

    Raises BrokerUnavailable.
    """
    with raising_broker_errors(settings.broker), redis_client(settings) as client:
        return {queue: _length(client, queue) for queue in queues}


def count_unacknowledged(settings: Settings) -> int:
    """Count the messages that workers took and have not acknowledged.

    Raises BrokerUnavailable.
    """
    with raising_broker_errors(settings.broker), redis_client(settings) as client:
        held: Any = client.hlen(UNACKNOWLEDGED)
    return int(held)


def probe_writing(settings: Settings) -> None:
    """Change nothing, by a command that only a broker that can be written to carries out.

    Raises BrokerUnavailable, with what the broker refuses it for.
    """
    with raising_broker_errors(settings.broker), redis_client(settings) as client:
        client.hdel(UNACKNOWLEDGED, _NO_MESSAGE)


def _contents(client: redis.Redis, queue: str) -> QueueContents:
    # Workers take from the right. Of each list only when those before it are empty.
    firsts: Iterator[Any] = (client.lindex(name, -1) for name in lists_of(queue))
    first = next(filter(None, firsts), None)
    return QueueContents(_length(client, queue), _id(first) if first else None)


def _length(client: redis.Redis, queue: str) -> int:
    lengths: Iterator[Any] = (client.llen(name) for name in lists_of(queue))
    return sum(map(int, lengths))


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
