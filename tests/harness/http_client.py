"""One HTTP request to a server on this machine, and what came back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: dict[str, str]  # by lower-case name
    body: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def send_request(
    port: int, method: str, path: str, headers: Mapping[str, str], body: bytes | str | None = None
) -> Answered:
    """Send one request; in the names of headers, _ is -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, named)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answered(response.status, found, response.read().decode())
    finally:
        connection.close()
