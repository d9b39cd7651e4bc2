"""Several Sentinels in one address: who they are, and how to find the Redis that they watch.

    sentinel://USER:PASSWORD@HOST:26379;sentinel://HOST:26379/0
    sentinels://USER:PASSWORD@HOST:26379;sentinels://HOST:26379/0?ssl_ca_certs=FILE

User, password and database are those of the Redis servers; IYU_REDIS_MASTER names the master.
`sentinels` speaks TLS with the Sentinels and the servers alike, as `rediss` does with one server.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from iyu.schemas.contract.errors import SettingsError

if TYPE_CHECKING:
    import redis

SCHEME: Final = "sentinel://"
TLS_SCHEME: Final = "sentinels://"
SCHEMES: Final = (SCHEME, TLS_SCHEME)
DEFAULT_PORT: Final = 26379


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Where the Sentinels are, and how to log in to the Redis servers that they watch."""

    sentinels: tuple[tuple[str, int], ...]
    credentials: str  # as in the address, quoted: USER:PASSWORD, or nothing
    database: int

    @classmethod
    def parse(cls, address: str) -> "SentinelAddress":
        """Read an address without what stands behind its `?`.

        Raises SettingsError, which does not quote the address: it holds a password.
        """
        try:
            parts = [urlsplit(part) for part in address.partition("?")[0].split(";")]
            scheme = parts[0].scheme  # with TLS for all, or for none
            hosts = tuple((_host(part, scheme), part.port or DEFAULT_PORT) for part in parts)
            databases = [part.path.strip("/") for part in parts if part.path.strip("/")]
            credentials = parts[0].netloc.rpartition("@")[0]
            return cls(hosts, credentials, int(databases[0]) if databases else 0)
        except ValueError:
            raise SettingsError(
                "IYU_BROKER_URL is not an address of Sentinels; give "
                "sentinel://USER:PASSWORD@HOST:26379;sentinel://HOST:26379/0, "
                "or one server, redis://HOST:6379/0"
            ) from None

    @property
    def kombu_url(self) -> str:
        """The address as kombu reads it: it goes on with the next one alone if one fails."""
        login = f"{self.credentials}@" if self.credentials else ""
        return ";".join(
            f"{SCHEME}{login}{host}:{port}/{self.database}" for host, port in self.sentinels
        )

    def connect(self, master: str, tls: Mapping[str, str | bool], **options: Any) -> "redis.Redis":
        """Return a client of the present master; it asks again whenever it connects.

        tls: redis-py's arguments, for the Sentinels and the servers; empty: plain.
        """
        from redis.sentinel import Sentinel as UntypedSentinel

        user, _, password = self.credentials.partition(":")
        login = {"username": unquote(user) or None, "password": unquote(password) or None}
        Sentinel: Any = UntypedSentinel  # noqa: N806
        options |= {"ssl": True, **tls} if tls else {}
        found = Sentinel(
            self.sentinels, sentinel_kwargs=options, db=self.database, **login, **options
        )
        client: redis.Redis = found.master_for(master, redis_class=_client_of(found))
        return client


def _host(part: SplitResult, scheme: str) -> str:
    if part.scheme != scheme or f"{scheme}://" not in SCHEMES or not part.hostname:
        raise ValueError("no Sentinel")
    return part.hostname


def _client_of(sentinel: Any) -> Any:
    """Return a client's class that closes the connections to the Sentinels with its own."""
    import redis

    class SentinelClient(redis.Redis):
        def close(self) -> None:
            super().close()
            for one in sentinel.sentinels:
                one.close()

    return SentinelClient
