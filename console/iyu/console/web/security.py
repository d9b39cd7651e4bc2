"""Who may look, and the headers that every answer carries."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from iyu.schemas.contract.errors import SettingsError

#: Characters of the shortest token: what is longer cannot be guessed over a network.
MIN_TOKEN: Final = 16
COOKIE: Final = "iyu-token"
#: Where the token is given, and what it may be given without.
ENTRANCE: Final = "/enter"
OPEN_TO_ALL: Final = (ENTRANCE, "/static/")
#: Bytes of a form that is read at most.
MAX_FORM: Final = 4_096

#: Hosts that a request may name where no token is asked for: a foreign site cannot reach it
#: under a name of its own (DNS rebinding).
OWN_NAMES: Final = ["127.0.0.1", "localhost", "[::1]"]

#: Nothing is loaded but our own style sheet and icon; no script, no frame.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class SecurityHeaders:
    """Adds HEADERS to every answer; pages are not kept by any cache."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Gate:
    """Knows the token, and whether a request carries it."""

    def __init__(self, token: str | None) -> None:
        if token is not None and len(token) < MIN_TOKEN:
            raise SettingsError(
                f"the token has fewer than {MIN_TOKEN} characters and could be guessed; "
                'make one with: python -c "import secrets; print(secrets.token_urlsafe())"'
            )
        self._token = token

    def lets_in(self, path: str, headers: Mapping[str, str], cookies: Mapping[str, str]) -> bool:
        """Say whether a request may be answered."""
        if self._token is None or path.startswith(OPEN_TO_ALL):
            return True
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        return self.is_token(bearer) or _same(cookies.get(COOKIE, ""), self.cookie())

    def is_token(self, given: str) -> bool:
        """Say whether this is the token, in a time that does not depend on how near it comes."""
        return self._token is not None and _same(given, self._token)

    def cookie(self) -> str:
        """Return what the cookie holds: proof of the token, not the token."""
        return hmac.new((self._token or "").encode(), b"iyu web", sha256).hexdigest()


def check_address(host: str, token: str | None) -> None:
    """Raise SettingsError where others could reach the page without a token."""
    if token is None and not is_loopback(host):
        raise SettingsError(
            f"{host} can be reached by others, and reviews are private; give --token (or "
            "IYU_WEB_TOKEN), or leave --host out and put a reverse proxy before it (docs/web.md)"
        )


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches an address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a small form."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"))
    return {name: values[0] for name, values in fields.items()}


def own_address(address: str) -> str:
    """Return an address of this page; anything else becomes the first page."""
    is_own = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if is_own and address.isprintable() else "/"


def wants_html(headers: Headers) -> bool:
    """Say whether a browser asks."""
    return "text/html" in headers.get("accept", "")


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())
