"""One line a request where logs are JSON: what was asked, never what is in it."""

import asyncio
import logging
from time import monotonic
from typing import Any, Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from iyu.schemas.contract.logs import summary

#: Seconds in which a request must be answered and its answer read.
REQUEST_SECONDS: Final = 120.0

log = logging.getLogger("iyu.gateway.request")


def note(request: Request, **figures: object) -> None:
    """Add figures to the line of this request."""
    request.scope.setdefault("iyu.figures", {}).update(figures)


class RequestLog:
    """Writes the line, and answers where something unforeseen was raised."""

    def __init__(self, app: ASGIApp, broken: ASGIApp) -> None:
        self._app = app
        self._broken = broken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = monotonic()
        status = 0

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._app(scope, receive, send_and_see)
        except Exception as error:  # its text may hold a review
            log.error("a request failed: %s", summary(error))
            if not status:
                await self._broken(scope, receive, send_and_see)
        _write(scope, status, monotonic() - began)


def _write(scope: Scope, status: int, seconds: float) -> None:
    if not log.isEnabledFor(logging.INFO):
        return
    route: Any = scope.get("route")  # its pattern: an id in the address stays out
    figures = scope.get("iyu.figures", {}) | {"seconds": round(seconds, 4)}
    path = getattr(route, "path", "unknown").replace(":anything", "")
    log.info("%s %s %s", scope["method"][:10], path, status, extra=figures)
