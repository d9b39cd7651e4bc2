"""Serves /metrics and /healthz over HTTP, one thread a request."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.registry import Collector

from iyu.schemas.contract.errors import SettingsError

_TEXT = [("Content-Type", "text/plain; charset=utf-8")]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # HTTPServer asks the name service for this machine's name, which can take seconds.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]
        self.setup_environ()


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Log no request: there is one every few seconds."""


@contextmanager
def serving(collector: Collector, host: str, port: int) -> Iterator[WSGIServer]:
    """Listen, and give the server; `serve_forever` serves. Raises SettingsError."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    try:
        server = make_server(host, port, _routes(registry), _Server, _QuietHandler)
    except OSError as error:
        raise SettingsError(
            f"{host}:{port} cannot be listened on ({error.strerror}); give another --host or --port"
        ) from None
    with server:
        yield server


def _routes(registry: CollectorRegistry) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    metrics: Any = make_wsgi_app(registry)

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return list(metrics(environ, start_response))
        if path == "/healthz":  # whether this process answers, not whether a side does
            start_response("200 OK", _TEXT)
            return [b"ok\n"]
        start_response("404 Not Found", _TEXT)
        return [b"/metrics and /healthz are here\n"]

    return answer
