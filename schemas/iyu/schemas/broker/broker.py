"""The broker as a producer needs it: publish a chunk, and report how much room there is."""

from typing import Any, Protocol

from iyu.schemas.broker.redis_address import redis_client
from iyu.schemas.contract.message import Chunk
from iyu.schemas.contract.settings import Settings


class Broker(Protocol):
    """What `Producer` publishes through; pass another implementation in tests."""

    def publish(self, chunk: Chunk) -> None:
        """Publish a chunk. Raises BrokerUnavailable, BrokerFull."""

    def free_bytes(self) -> int | None:
        """Return the bytes until the broker is full, None without a limit.

        Raises BrokerUnavailable.
        """

    def close(self) -> None:
        """Close the connections."""


class RedisBroker:
    """Celery messages over Redis or Valkey.

    Raises SettingsError for an address that is neither.
    """

    def __init__(self, settings: Settings) -> None:
        # Celery and redis take a moment to import: only where something is published.
        from iyu.schemas.broker.publisher import Publisher, make_app

        self._address = settings.broker
        self._redis: Any = redis_client(settings)
        self._app = make_app(settings)
        self._publisher = Publisher(self._app, settings.broker)

    def publish(self, chunk: Chunk) -> None:
        """Publish a chunk over a connection that is kept."""
        self._publisher.publish([chunk])

    def free_bytes(self) -> int | None:
        """Return Redis' `maxmemory` less what is used; None where it has no limit."""
        from iyu.schemas.broker.broker_errors import raising_broker_errors

        with raising_broker_errors(self._address):
            memory = self._redis.info("memory")
        limit = int(memory.get("maxmemory", 0))
        return limit - int(memory["used_memory"]) if limit else None

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
        self._app.close()
