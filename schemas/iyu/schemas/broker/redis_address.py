"""The one place that decides whether an address is a broker iyu can use, and connects to it.

Only Redis and Valkey: the sweeper finds lost chunks by reading what the broker holds, and no
other broker can be read like that.
"""

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from iyu.schemas.broker.sentinel_address import SCHEME as SENTINEL
from iyu.schemas.broker.sentinel_address import SentinelAddress
from iyu.schemas.contract.errors import SettingsError
from iyu.schemas.contract.settings import Settings, mask

if TYPE_CHECKING:
    import redis

#: Plain and with TLS; a Valkey server is addressed in the same way.
SCHEMES: Final = ("redis", "rediss")
#: Seconds until a broker that does not answer counts as down.
ANSWER_SECONDS: Final = 5


def check_address(address: str, master: str | None = None) -> None:
    """Raise SettingsError unless this is the address of a Redis or Valkey server, or of Sentinels.

    master: the name by which Sentinels know the servers.
    """
    if address.startswith(SENTINEL):
        SentinelAddress.parse(address)
        if not master:
            raise SettingsError(
                "IYU_BROKER_URL names Sentinels, so IYU_REDIS_MASTER must name the master that "
                "they watch; set it, or give one server, redis://HOST:6379/0"
            )
    elif not _is_redis(address):
        raise SettingsError(
            f"IYU_BROKER_URL {mask(address)!r} is not the address of a Redis or Valkey server; "
            "give redis://HOST:6379/0, or rediss://HOST:6379/0 with TLS"
        )


def redis_client(settings: Settings) -> "redis.Redis":
    """Return a client of the broker; it connects when first used.

    Raises SettingsError for an address that is not Redis.
    """
    import redis

    check_address(settings.broker, settings.redis_master)
    waits = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}
    if settings.redis_master and is_sentinel(settings):
        return SentinelAddress.parse(settings.broker).connect(settings.redis_master, **waits)
    return redis.Redis.from_url(settings.broker, **waits)


def is_sentinel(settings: Settings) -> bool:
    """Say whether the broker is found through Sentinels."""
    return settings.broker.startswith(SENTINEL)


def kombu_broker(settings: Settings) -> tuple[str, dict[str, str]]:
    """Return the broker's address and the transport options that name it to kombu.

    Raises SettingsError for an address that is not Redis.
    """
    check_address(settings.broker, settings.redis_master)
    if settings.redis_master and is_sentinel(settings):
        address = SentinelAddress.parse(settings.broker).kombu_url
        return address, {"master_name": settings.redis_master}
    return settings.broker, {}


def _is_redis(address: str) -> bool:
    # Exactly what both redis-py and kombu accept: lower case, a port and a database in digits.
    try:
        parts = urlsplit(address)
        database = parts.path.strip("/")
        return (
            address.startswith(tuple(f"{scheme}://" for scheme in SCHEMES))
            and (parts.port is None or parts.port > 0)
            and (not database or database.isdecimal())
        )
    except ValueError:  # a port that is no number
        return False
