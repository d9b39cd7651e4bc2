"""How long each page takes over many reviews, beside Datasette on the same SQLite file.

    python -m benchmarks.web PATH [--reviews 1000000] [--stores FOLDER] [--datasette PROGRAM]

Real texts from PATH under new ids, of four sources (70, 20, 9 and 1 %), spread over thirty days;
each page is asked again and again about other sources, days, words and reviews. With it the
everyday questions of benchmarks.scale, and the bytes of the store. Datasette is a program of its
own environment: python -m venv datasette && datasette/bin/pip install datasette.
"""

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from benchmarks._command import run
from benchmarks._kept_store import Store, kept_store
from benchmarks._pages import DATASETTE, PAGES, Address
from benchmarks._questions import ask_all
from benchmarks._report import finish, header, note, progress, table
from benchmarks._reviews import read_reviews
from benchmarks._scored_store import Filled, fill, invent_predictions, score_texts
from benchmarks._services import DATABASES, running, scratch, wait
from benchmarks._size import table_bytes
from iyu.schemas.contract.settings import sqlite_path
from iyu.schemas.sql.engine import connected
from tests.harness.ports import own_port
from tests.harness.services import child_environment, is_listening, iyu_command

#: Different texts; they come again and again.
TEXTS = 200_000
#: Milliseconds that Datasette may take for a query, in place of its own 1,000.
DATASETTE_LIMIT_MS = 10_000


def main(
    path: Annotated[Path, typer.Argument(help="A file of real reviews (CSV, TSV, JSON Lines).")],
    reviews: Annotated[int, typer.Option(min=1_000)] = 1_000_000,
    by_both: Annotated[int, typer.Option(help="Reviews that two models have scored.")] = 20_000,
    times: Annotated[int, typer.Option(min=5, help="Requests of each page.")] = 50,
    databases: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(DATABASES),
    datasette: Annotated[Path | None, typer.Option(help="The program, to compare with.")] = None,
    model: Annotated[str, typer.Option(help="A name or folder; none: heat by chance.")] = "none",
    stores: Annotated[
        Path | None, typer.Option(help="Keep the databases here, or use them.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("Web", reviews=reviews, times=times)

    def make(engine: Engine) -> Filled:
        progress.print(f"{engine.dialect.name}: storing {reviews:,} reviews")
        texts = read_reviews(path, TEXTS)
        found = invent_predictions(texts) if model == "none" else score_texts(texts, model)
        return fill(engine, texts, found, reviews=reviews, days=30, by_both=by_both)

    for kind in databases.split(","):
        with scratch() as folder:
            place = (stores or folder) / f"{kind}-{reviews}"
            with kept_store(kind, place, reviews, make) as store:
                result[kind] = _measure_store(kind, store, times, folder)
                if datasette and (file := sqlite_path(store.address)):
                    with datasette_over(datasette, file, folder) as port:
                        timed = _measure_all(DATASETTE, port, store.filled, min(times, 10))
                    result["datasette"] = timed
                    _print("Datasette, the same file", timed)
    finish(result, json)


def _measure_store(kind: str, store: Store, times: int, folder: Path) -> dict[str, Any]:
    with connected(store.address) as engine:
        size = {name: one / store.filled.reviews for name, one in table_bytes(engine).items()}
        asked = {
            name: {"p50": one.milliseconds(0.5), "p95": one.milliseconds(0.95), "rows": one.rows}
            for name, one in ask_all(engine, store.filled, times).items()
        }
    with page_over(store.address, folder) as port:
        pages = _measure_all(PAGES, port, store.filled, times)
    _print(f"{kind}: pages", pages)
    table(
        f"{kind}: everyday questions",
        ("question", "p50 ms", "p95 ms", "rows"),
        [(n, f"{f['p50']:,.1f}", f"{f['p95']:,.1f}", f["rows"]) for n, f in asked.items()],
    )
    largest = sorted(size.items(), key=lambda item: -item[1])
    table(
        f"{kind}: on the disk",
        ("table", "bytes a review"),
        [(name, f"{one:,.0f}") for name, one in largest if one >= 1],
    )
    note(
        f"{kind}: {sum(size.values()):,.0f} bytes a review, {store.log_bytes_a_review:,.0f} of log"
    )
    return {
        "pages": pages,
        "questions_ms": asked,
        "table_bytes_a_review": size,
        "log_bytes_a_review": store.log_bytes_a_review,
    }


def _percentiles(seconds: list[float]) -> dict[str, float]:
    seconds.sort()
    return {
        "p50": 1000 * seconds[len(seconds) // 2],
        "p95": 1000 * seconds[min(int(0.95 * len(seconds)), len(seconds) - 1)],
    }


@contextmanager
def page_over(address: str, folder: Path) -> Iterator[int]:
    """Serve the page over a database."""
    port = own_port(page_over)
    environment = child_environment(
        IYU_DATABASE_URL=address, IYU_BROKER_URL="redis://127.0.0.1:1/0"
    )
    command = iyu_command("web", "--port", str(port))
    with running(command, environment, folder) as process:
        wait(lambda: is_listening(port), 60, process)
        yield port


@contextmanager
def datasette_over(program: Path, file: Path, folder: Path) -> Iterator[int]:
    """Serve a SQLite file with Datasette."""
    port = own_port(datasette_over)
    options = ["--setting", "sql_time_limit_ms", str(DATASETTE_LIMIT_MS)]
    command = [str(program), "serve", str(file), "--port", str(port), *options]
    with running(command, child_environment(), folder) as process:
        wait(lambda: is_listening(port), 60, process)
        yield port


def _measure_all(
    pages: Mapping[str, Address], port: int, filled: Filled, times: int
) -> dict[str, dict[str, Any]]:
    return {name: _measure(address, port, filled, times) for name, address in pages.items()}


def _measure(address: Address, port: int, filled: Filled, times: int) -> dict[str, Any]:
    chance = random.Random(0)  # the same addresses in every run
    _get(port, address(chance, filled))  # templates are compiled, a comparison is begun
    seconds, statuses, cut = [], set(), 0
    for _ in range(times):
        begin = time.perf_counter()
        status, body = _get(port, address(chance, filled))
        seconds.append(time.perf_counter() - begin)
        statuses.add(status)
        cut += "This took longer" in body or "time for this search was over" in body
    return _percentiles(seconds) | {"statuses": sorted(statuses), "ended_by_time_limit": cut}


def _get(port: int, address: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("GET", address, headers={"Accept-Language": "ko"})
        response = connection.getresponse()
        body = response.read().decode()
        return response.status, body
    finally:
        connection.close()


def _print(title: str, figures: Mapping[str, Mapping[str, Any]]) -> None:
    rows = [
        (
            name,
            f"{one['p50']:,.0f}",
            f"{one['p95']:,.0f}",
            ", ".join(map(str, one["statuses"])),
            one["ended_by_time_limit"] or "",
        )
        for name, one in figures.items()
    ]
    table(title, ("page", "p50 ms", "p95 ms", "status", "ended by time limit"), rows)
    slow = [name for name, one in figures.items() if one["p95"] >= 200]
    note(f"{title}: 200 ms or more at the 95th percentile: {', '.join(slow) or 'none'}")


if __name__ == "__main__":
    run(main)
