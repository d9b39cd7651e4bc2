"""The broker as a producer needs it: publish a chunk, and say how much room there is."""

from typing import Any, Protocol

from iyu.schemas.contract.errors import BrokerUnavailable, SettingsError
from iyu.schemas.contract.message import Chunk
from iyu.schemas.contract.settings import Settings, mask

#: Seconds until a broker that says nothing counts as down.
ANSWER_SECONDS = 5


class Broker(Protocol):
    """What `Producer` publishes through; hand in another one in tests."""

    def publish(self, chunk: Chunk) -> None:
        """Hand a chunk over. Raises BrokerUnavailable, BrokerFull."""

    def free_bytes(self) -> int | None:
        """Return the bytes until the broker is full, None without a limit.

        Raises BrokerUnavailable.
        """

    def close(self) -> None:
        """Let the connections go."""


class CeleryBroker:
    """Celery's messages over Redis, or over another broker that Celery knows."""

    def __init__(self, settings: Settings) -> None:
        # Celery takes a moment to import: only where something is published.
        from iyu.schemas.broker.publisher import Publisher, make_app

        self._address = settings.broker
        self._redis = _redis(self._address)
        self._app = make_app(settings)
        self._publisher = Publisher(self._app, self._address)

    def publish(self, chunk: Chunk) -> None:
        """Hand a chunk over."""
        self._publisher.publish([chunk])

    def free_bytes(self) -> int | None:
        """Return Redis's `maxmemory` less what is used; None for another broker."""
        import redis

        if self._redis is None:
            return None
        try:
            memory = self._redis.info("memory")
        except (redis.RedisError, OSError) as error:
            raise BrokerUnavailable(
                f"the broker {mask(self._address)} does not answer; check that it runs and "
                "IYU_BROKER_URL names it"
            ) from error
        limit = int(memory.get("maxmemory", 0))
        return limit - int(memory["used_memory"]) if limit else None

    def close(self) -> None:
        """Let the connections go."""
        if self._redis is not None:
            self._redis.close()
        self._app.close()


def _redis(address: str) -> Any:
    import redis

    scheme = address.partition("://")[0]
    if scheme in {"amqp", "amqps", "pyamqp", "sentinel", "memory"}:
        return None
    try:
        return redis.Redis.from_url(
            address, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
        )
    except ValueError:
        raise SettingsError(
            f"IYU_BROKER_URL {mask(address)!r} is no broker iyu knows; "
            "give redis://HOST:6379/0 or amqp://USER:PASSWORD@HOST//"
        ) from None
