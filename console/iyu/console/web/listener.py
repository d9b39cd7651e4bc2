"""The socket that the page, or the gateway, is served on."""

import socket

from iyu.schemas.contract.errors import SettingsError


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises SettingsError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        cause = error.strerror or "it is no address"
        raise SettingsError(
            f"cannot listen on {host}, port {port} ({cause}); give another --port or --host"
        ) from None
    # asyncio sets this only on sockets that name their protocol. Without it the second part of an
    # answer waits 40 ms for the client's acknowledgement of the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the address that a browser opens."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/"
