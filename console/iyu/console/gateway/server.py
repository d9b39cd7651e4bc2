"""Serve the gateway until it is told to stop; what was begun is finished first."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from iyu.console.gateway.app import make_app
from iyu.console.gateway.gateway import Gateway, opened_gateway
from iyu.console.web.listener import address_of, listen
from iyu.console.web.security import is_loopback
from iyu.schemas.contract.errors import SettingsError
from iyu.schemas.contract.settings import Settings

log = logging.getLogger("iyu.gateway")

USUAL_PORT: Final = 8322
#: Connections at once; more are answered with 503.
MAX_CONNECTIONS: Final = 500
#: Bytes of the line and the headers of a request.
MAX_HEAD: Final = 16 * 1024
#: Seconds in which the head of a request must have arrived, twice that at the longest.
HEAD_SECONDS: Final = 10.0
#: Seconds for which an idle connection is kept: longer than a reverse proxy keeps its own.
IDLE_SECONDS: Final = 75
#: Seconds in which requests that were begun must end after SIGTERM.
STOP_SECONDS: Final = 20


class TimedProtocol(H11Protocol):
    """Closes connections on which no request begins, or whose head never ends.

    uvicorn limits only the pause between two requests.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count."""
        super().connection_made(transport)
        self._last: object = self
        self._timer = self.loop.call_later(HEAD_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting."""
        self._timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Close where nothing went on since the last look but the sending of a head."""
        cycle: RequestResponseCycle | None = self.cycle
        waits = cycle is None or cycle.response_complete
        is_idle = self.timeout_keep_alive_task is not None  # uvicorn counts by itself
        if waits and not is_idle and self._last is cycle:
            self.transport.close()
            return
        self._last = cycle if waits and not is_idle else self
        self._timer = self.loop.call_later(HEAD_SECONDS, self._look)


def serve(
    settings: Settings,
    host: str,
    port: int,
    open_source: str | None,
    say: Callable[[str], None],
) -> None:
    """Serve; `say` is given the address, and what is to be known about it.

    Raises SettingsError, DatabaseOutdated, DatabaseUnavailable.
    """
    check_host(host, open_source)
    with opened_gateway(settings, open_source) as gateway, listen(host, port) as listener:
        say(f"{address_of(listener)}openapi.json describes it")
        if not is_loopback(host):
            say("it speaks plain HTTP: let nobody reach it but a reverse proxy that speaks TLS")
        make_server(gateway, is_open=open_source is not None).run(sockets=[listener])


def check_host(host: str, open_source: str | None) -> None:
    """Raise SettingsError where others could reach a gateway that asks for no token."""
    if open_source is not None and not is_loopback(host):
        raise SettingsError(
            f"{host} can be reached by others, and without tokens anybody could submit and erase; "
            "leave --open-source out and make tokens: iyu gateway tokens add SOURCE"
        )


def make_server(gateway: Gateway, *, is_open: bool = False) -> uvicorn.Server:
    """Return the server: it logs no address and does not say what it is."""
    return uvicorn.Server(
        uvicorn.Config(
            make_app(gateway, is_open=is_open),
            http=TimedProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="warning",
            access_log=False,  # an address may hold an id
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            h11_max_incomplete_event_size=MAX_HEAD,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
