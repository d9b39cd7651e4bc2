"""How fast the gateway accepts reviews: in batches, and one by one.

    python -m benchmarks.gateway PATH [--seconds 8] [--json FILE]

No worker runs: what is measured is from a request to 202, after the ledger's commit. The clients
are threads of this process, each with a connection that it keeps.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from benchmarks._command import run
from benchmarks._report import finish, header, table
from benchmarks._reviews import read_reviews
from benchmarks._services import DATABASES, running, scratch, stores, wait
from iyu.console.gateway.tokens import add_token
from iyu.schemas.contract.review import Review
from iyu.schemas.sql.engine import connected, writing
from tests.harness.ports import own_port
from tests.harness.services import is_listening, iyu_command

#: Name, clients at once, reviews of a request.
WAYS = (
    ("batches of 100, 4 clients", 4, 100),
    ("single reviews, 1 client", 1, 1),
    ("single reviews, 4 clients", 4, 1),
    ("single reviews, 16 clients", 16, 1),
)
COLUMNS = ("way", "requests", "reviews/s", "p50 ms", "p95 ms", "p99 ms")


def main(
    path: Annotated[Path, typer.Argument(help="A file of real reviews (CSV, TSV, JSON Lines).")],
    seconds: Annotated[float, typer.Option(help="For each way.")] = 8.0,
    databases: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(DATABASES),
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("Gateway", seconds=seconds)
    reviews = read_reviews(path, 20_000)
    for kind in databases.split(","):
        with scratch() as folder, stores(kind, "wide", folder) as environment:
            found = _measure_all(environment, folder, reviews, seconds)
        table(f"{kind}: request to 202", COLUMNS, [_row(*item) for item in found.items()])
        result[kind] = found
    finish(result, json)


def _measure_all(
    environment: Mapping[str, str], folder: Path, reviews: Sequence[Review], seconds: float
) -> dict[str, dict[str, Any]]:
    with connected(environment["IYU_DATABASE_URL"]) as engine, writing(engine) as connection:
        token = add_token(connection, "benchmark")
    owner = threading.Event()  # keeps the port
    port = own_port(owner)
    command = iyu_command("gateway", "--port", str(port))
    with running(command, environment, folder) as process:
        wait(lambda: is_listening(port), 60, process)
        send = _Sender(port, token, reviews)
        _measure(send, 1, 1, 1.0)
        return {name: _measure(send, clients, size, seconds) for name, clients, size in WAYS}


class _Sender:
    """Sends the reviews again and again under new ids."""

    def __init__(self, port: int, token: str, reviews: Sequence[Review]) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._reviews = reviews
        self._numbers = count()

    def connect(self, size: int) -> Callable[[], float]:
        """Return what sends a request over a connection of its own, and the seconds it took."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)

        def send() -> float:
            body = orjson.dumps([self._next() for _ in range(size)])
            began = time.perf_counter()
            connection.request("POST", "/reviews", body, self._headers)
            response = connection.getresponse()
            response.read()
            if response.status != 202:
                raise RuntimeError(f"the gateway answered {response.status}")
            return time.perf_counter() - began

        return send

    def _next(self) -> dict[str, str]:
        number = next(self._numbers)
        text = self._reviews[number % len(self._reviews)].text
        return {"review_id": f"{number:09d}", "text": text}


def _measure(sender: _Sender, clients: int, size: int, seconds: float) -> dict[str, Any]:
    found: list[list[float]] = [[] for _ in range(clients)]
    end = time.perf_counter() + seconds

    def work(mine: list[float]) -> None:
        send = sender.connect(size)
        while time.perf_counter() < end:
            mine.append(send())

    threads = [threading.Thread(target=work, args=(mine,)) for mine in found]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    times = sorted(time for mine in found for time in mine)
    shares = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
    places = {name: 1000 * times[int(share * len(times))] for name, share in shares.items()}
    return {"requests": len(times), "reviews_s": len(times) * size / took, **places}


def _row(name: str, found: Mapping[str, Any]) -> tuple[object, ...]:
    milliseconds = (f"{found[p]:.1f}" for p in ("p50", "p95", "p99"))
    return (name, found["requests"], f"{found['reviews_s']:,.0f}", *milliseconds)


if __name__ == "__main__":
    run(main)
