"""The one place that decides whether an address is a broker iyu can use, and connects to it.

Only Redis and Valkey: the sweeper finds lost chunks by reading what the broker holds, and no
other broker can be read like that.

With TLS the server's certificate is verified unless the address says otherwise, and the same
address means the same to redis-py, which producers use, and to kombu, which workers use: kombu
alone would verify nothing.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from iyu.schemas.broker.sentinel_address import SCHEMES as SENTINEL_SCHEMES
from iyu.schemas.broker.sentinel_address import TLS_SCHEME as SENTINEL_TLS
from iyu.schemas.broker.sentinel_address import SentinelAddress
from iyu.schemas.contract.errors import SettingsError
from iyu.schemas.contract.settings import Settings, mask

if TYPE_CHECKING:
    import redis

#: Plain and with TLS; a Valkey server is addressed in the same way.
SCHEMES: Final = ("redis", "rediss")
#: Addresses that speak TLS.
WITH_TLS: Final = ("rediss://", SENTINEL_TLS)
#: What may stand behind the ? of an address with TLS, as redis-py spells it.
TLS_PARAMETERS: Final = (
    "ssl_cert_reqs",
    "ssl_ca_certs",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_check_hostname",
)
#: How a server's certificate is checked.
CERTIFICATE_CHECKS: Final = ("required", "optional", "none")
#: Seconds until a broker that does not answer counts as down.
ANSWER_SECONDS: Final = 5
_WAITS: Final = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}


class MaskedAddress(str):
    """An address whose repr hides its secret: Celery prints its configuration by repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(mask(str(self)))


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """An address as redis-py and kombu both read it."""

    url: MaskedAddress  # with its secret, without parameters
    tls: dict[str, str | bool] = field(default_factory=dict)  # arguments of redis-py; empty: plain


def parse_address(address: str) -> RedisAddress:
    """Return the address in its parts. Raises SettingsError for one that iyu cannot use."""
    check_address(address)
    return RedisAddress(MaskedAddress(address.partition("?")[0]), tls_arguments(address))


def tls_arguments(address: str) -> dict[str, str | bool]:
    """Return redis-py's arguments for an address with TLS; nothing for a plain one."""
    if not address.startswith(WITH_TLS):
        return {}
    given: dict[str, str | bool] = dict(parse_qsl(address.partition("?")[2]))
    # redis-py: a certificate that nobody checks has no name to compare either.
    checks = given.setdefault("ssl_cert_reqs", "required")
    by_name = str(given.get("ssl_check_hostname", "true")).lower() == "true"
    given["ssl_check_hostname"] = by_name and checks != "none"
    return given


def check_address(address: str, master: str | None = None) -> None:
    """Raise SettingsError unless this is the address of a Redis or Valkey server, or of Sentinels.

    master: the name by which Sentinels know the servers.
    """
    if address.startswith(SENTINEL_SCHEMES):
        SentinelAddress.parse(address)
        _check_parameters(address)
        if not master:
            raise SettingsError(
                "IYU_BROKER_URL names Sentinels, so IYU_REDIS_MASTER must name the master that "
                "they watch; set it, or give one server, redis://HOST:6379/0"
            )
        return
    if not _is_redis(address):
        raise SettingsError(
            f"IYU_BROKER_URL {mask(address)!r} is not the address of a Redis or Valkey server; "
            "give redis://HOST:6379/0, or rediss://HOST:6379/0 with TLS"
        )
    _check_parameters(address)


def redis_client(settings: Settings) -> "redis.Redis":
    """Return a client of the broker; it connects when first used.

    Raises SettingsError for an address that is not Redis.
    """
    import redis

    check_address(settings.broker, settings.redis_master)
    if settings.redis_master and is_sentinel(settings):
        found = SentinelAddress.parse(settings.broker)
        return found.connect(settings.redis_master, tls_arguments(settings.broker), **_WAITS)
    address = parse_address(settings.broker)
    return redis.Redis.from_url(address.url, **_WAITS, **address.tls)


def is_sentinel(settings: Settings) -> bool:
    """Say whether the broker is found through Sentinels."""
    return settings.broker.startswith(SENTINEL_SCHEMES)


@dataclass(frozen=True, slots=True)
class KombuBroker:
    """The broker as kombu connects to it."""

    url: MaskedAddress
    options: dict[str, Any] = field(default_factory=dict)  # of the transport
    tls: dict[str, str | bool] | None = None  # `broker_use_ssl`


def kombu_broker(settings: Settings) -> KombuBroker:
    """Return what names the broker to kombu.

    Raises SettingsError for an address that is not Redis.
    """
    check_address(settings.broker, settings.redis_master)
    if settings.redis_master and is_sentinel(settings):
        url = MaskedAddress(SentinelAddress.parse(settings.broker).kombu_url)
        tls = tls_arguments(settings.broker)
        options: dict[str, Any] = {"master_name": settings.redis_master}
        if tls:  # kombu's `broker_use_ssl` is for the servers alone
            options["sentinel_kwargs"] = {"ssl": True, **tls, **_WAITS}
        return KombuBroker(url, options, tls or None)
    address = parse_address(settings.broker)
    return KombuBroker(address.url, tls=address.tls or None)


def _check_parameters(address: str) -> None:
    """Raise SettingsError for parameters that not both sides understand."""
    given = dict(parse_qsl(address.partition("?")[2], keep_blank_values=True))
    if {"password", "username"} & given.keys():
        raise SettingsError(
            f"IYU_BROKER_URL {mask(address)!r}: the password stands before the host, "
            "redis://:PASSWORD@HOST:6379/0"
        )
    allowed = TLS_PARAMETERS if address.startswith(WITH_TLS) else ()
    if unknown := sorted(given.keys() - set(allowed)):
        raise SettingsError(
            f"IYU_BROKER_URL: the parameter {unknown[0]!r} is not supported; "
            f"rediss:// and sentinels:// take {', '.join(TLS_PARAMETERS)}, others none"
        )
    for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"):
        if name in given and not Path(given[name]).is_file():
            raise SettingsError(f"IYU_BROKER_URL: {name} names a file that is not there")
    if given.get("ssl_cert_reqs", "required") not in CERTIFICATE_CHECKS:
        raise SettingsError(
            "IYU_BROKER_URL: ssl_cert_reqs must be one of " + ", ".join(CERTIFICATE_CHECKS)
        )


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
