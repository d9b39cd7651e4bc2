"""A receiver of webhooks: keeps what it was sent, and answers as a test wants."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

Answer = tuple[int, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as it came in."""

    headers: dict[str, str]
    body: str

    def verify(self, secret: str) -> Any:
        """Return the message; raises where its signature is not of this secret."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass(slots=True)
class Receiver:
    """An HTTP server on a loopback port of its own."""

    answer: Callable[[int], Answer] = lambda _number: (204, {})
    port: int = 0
    calls: list[Call] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    def start(self) -> "Receiver":
        """Listen; the same port again after a stop."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                status, headers = receiver.answer(len(receiver.calls))
                receiver.calls.append(Call(dict(self.headers.items()), body))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/reviews"
