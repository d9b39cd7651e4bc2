"""No call reaches this machine or a private network unless that is allowed.

A webhook's address is given by whoever may add one. Without this check it could name the database's
host or a cloud's metadata service. The check is made on the addresses that are connected to, for a
name may lead elsewhere by the time of the call.
"""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore

from iyu.schemas.contract.errors import InputError

#: RFC 6052: the last 32 bits are an IPv4 address.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_ALLOW: Final = "set IYU_WEBHOOKS_ALLOW_PRIVATE=true if that is meant"


class PrivateAddress(httpcore.ConnectError):
    """The receiver's name leads to this machine or a private network."""


def check_url(url: str, *, allow_private: bool) -> None:
    """Raise InputError for an address that is none, or that must not be called."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise InputError("a webhook's address is written in ASCII: encode the rest of it with %XX")
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise InputError(f"{url!r} is no address; give https://HOST/PATH") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(f"{url!r} is no address; give https://HOST/PATH")
    if parts.username or parts.password:
        raise InputError("a webhook's address must not hold a user name or password")
    try:
        parts.hostname.encode("idna")
        private = not allow_private and any(map(_is_private, _resolve(parts.hostname, port)))
    except (OSError, UnicodeError):  # a part of the name may be too long for a name
        raise InputError(f"the host {parts.hostname!r} is not known; check the address") from None
    if private:
        raise InputError(f"{parts.hostname} is this machine or a private network; {_ALLOW}")


class GuardedBackend(httpcore.SyncBackend):
    """Connects to the addresses that were checked."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> Any:
        """Connect. Raises PrivateAddress, httpcore.ConnectError."""
        if self._allow_private:
            return super().connect_tcp(host, port, *args, **options)
        try:
            addresses = list(_resolve(host, port))
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("the host is not known") from None
        if any(map(_is_private, addresses)):
            raise PrivateAddress(f"{host} is this machine or a private network; {_ALLOW}")
        return super().connect_tcp(addresses[0], port, *args, **options)


def _resolve(host: str, port: int) -> Iterable[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return dict.fromkeys(str(address[0]) for *_, address in found)


def _is_private(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = _carried(ip) or ip
    return not ip.is_global or ip.is_multicast


def _carried(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that a gateway on the way makes of it (mapped, 6to4, NAT64)."""
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour
