"""The gateway as a server in this process, and a client of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Engine, select

from iyu.console.gateway.gateway import Gateway, opened_gateway
from iyu.console.gateway.server import make_server
from iyu.console.gateway.tokens import Right, add_token
from iyu.console.web.listener import listen
from iyu.schemas.broker.broker import Broker
from iyu.schemas.contract.message import unpack
from iyu.schemas.contract.settings import Settings
from iyu.schemas.sql.engine import connected, reading, writing
from iyu.schemas.sql.tables import chunks
from tests.harness.http_client import Answered, send_request
from tests.harness.polling import poll

#: A review that is accepted.
ONE = {"review_id": "1", "text": "배송이 빨라서 좋았어요"}


@dataclass(frozen=True)
class Client:
    """Sends requests with one token."""

    port: int
    token: str | None

    def request(
        self, method: str, path: str, body: bytes | str | None = None, **headers: str
    ) -> Answered:
        """Send one request; in the names of headers, _ is -."""
        if self.token is not None:
            headers = {"Authorization": f"Bearer {self.token}"} | headers
        return send_request(self.port, method, path, headers, body)

    def get(self, path: str) -> Answered:
        return self.request("GET", path)

    def post(self, path: str, content: object, **headers: str) -> Answered:
        """Send JSON, or bytes as they are."""
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        return self.request("POST", path, body, **{"Content_Type": "application/json"} | headers)

    def results(self, after: str = "0", **filters: str) -> list[dict[str, Any]]:
        """Read the feed to its end."""
        found: list[dict[str, Any]] = []
        while True:
            more = "".join(f"&{name}={value}" for name, value in filters.items())
            page = self.get(f"/results?after={after}{more}").json
            found += page["results"]
            after = page["after"]
            if page["is_last"]:
                return found


@dataclass(frozen=True)
class Served:
    """A running gateway."""

    port: int
    gateway: Gateway
    engine: Engine

    def client(self, source: str = "shop", *rights: Right) -> Client:
        """Return a client with a token of its own; all rights unless some are named."""
        with writing(self.engine) as connection:
            token = add_token(connection, source, rights or tuple(Right))
        client = Client(self.port, token)
        poll(10, lambda: client.get("/batches/none").status != 401)
        return client


@contextmanager
def served(
    engine: Engine, broker: Broker, open_source: str | None = None, **settings: Any
) -> Iterator[Served]:
    """Serve a gateway over a database with tables until the end."""
    url = engine.url.render_as_string(hide_password=False)
    chosen = Settings.load(database_url=url, broker_url="redis://127.0.0.1:1/0", **settings)
    with (
        connected(url) as own,
        opened_gateway(chosen, open_source, broker) as gateway,
        listen("127.0.0.1", 0) as listener,
    ):
        server = make_server(gateway, is_open=open_source is not None)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            poll(30, lambda: server.started)
            yield Served(listener.getsockname()[1], gateway, own)
        finally:
            server.should_exit = True
            thread.join(60)


def in_ledger(engine: Engine) -> list[tuple[str, str, str]]:
    """Source, id and text of every review in the ledger."""
    with reading(engine) as connection:
        rows = connection.execute(select(chunks.c.source, chunks.c.payload)).all()
    return [
        (source, review.review_id, review.text)
        for source, payload in rows
        if payload  # not finished, nor emptied by an erasure
        for review in unpack(payload)
    ]


def many(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Reviews of a request."""
    return [{"review_id": f"r{i}", "text": f"글 {i}"} for i in range(start, start + count)]
