"""How long each page takes over many reviews, beside Datasette on the same SQLite file.

    python -m benchmarks.web PATH [--reviews 1000000] [--datasette PROGRAM] [--json FILE]

Real texts from PATH under new ids, of four sources, spread over thirty days; each page is asked
again and again about other sources, days, words and reviews. Datasette is a program of its own
environment: python -m venv datasette && datasette/bin/pip install datasette.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from sqlalchemy import Engine, text

from benchmarks._command import run
from benchmarks._report import finish, header, note, progress, table
from benchmarks._reviews import read_reviews
from benchmarks._scored_store import (
    OTHER,
    SERVING,
    SOURCES,
    Filled,
    fill,
    invent_predictions,
    score_texts,
)
from benchmarks._services import DATABASES, database, running, scratch, wait
from iyu.schemas.contract.settings import sqlite_path
from iyu.schemas.sql.engine import connected, reading, writing
from tests.harness.ports import own_port
from tests.harness.services import child_environment, is_listening, iyu_command

#: Different texts; they come again and again.
TEXTS = 20_000
#: Words that are asked for: common and rare.
WORDS = (("재미있", "VA"), ("최고", "NNG"), ("지루", "XR"), ("쓰레기", "NNG"), ("발연기", "NNG"))
#: Milliseconds that Datasette may take for a query, in place of its own 1,000.
DATASETTE_LIMIT_MS = 10_000

Address = Callable[[random.Random, Filled], str]


def main(
    path: Annotated[Path, typer.Argument(help="A file of real reviews (CSV, TSV, JSON Lines).")],
    reviews: Annotated[int, typer.Option(min=1_000)] = 1_000_000,
    by_both: Annotated[int, typer.Option(help="Reviews that two models have scored.")] = 20_000,
    times: Annotated[int, typer.Option(min=5, help="Requests of each page.")] = 50,
    databases: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(DATABASES),
    datasette: Annotated[Path | None, typer.Option(help="The program, to compare with.")] = None,
    model: Annotated[str, typer.Option(help="A name or folder; none: heat by chance.")] = "none",
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("Web", reviews=reviews, times=times)
    texts = read_reviews(path, TEXTS)
    predictions = invent_predictions(texts) if model == "none" else score_texts(texts, model)
    for kind in databases.split(","):
        with scratch() as folder, database(kind, folder) as address:
            progress.print(f"{kind}: storing {reviews:,} reviews")
            with connected(address) as engine:
                filled = fill(engine, texts, predictions, reviews=reviews, days=30, by_both=by_both)
                result[f"{kind}, views"] = _measure_views(engine, filled, times)
            _print(f"{kind}: views", result[f"{kind}, views"])
            with page_over(address, folder) as port:
                result[kind] = _measure_all(PAGES, port, filled, times)
            _print(f"{kind}: pages", result[kind])
            file = sqlite_path(address)
            if datasette and file:
                with datasette_over(datasette, file, folder) as port:
                    result["datasette"] = _measure_all(DATASETTE, port, filled, min(times, 10))
                _print("Datasette, the same file", result["datasette"])
    finish(result, json)


def _measure_views(engine: Engine, filled: Filled, times: int) -> dict[str, dict[str, Any]]:
    if engine.dialect.name == "postgresql":
        with writing(engine) as connection:
            connection.execute(text("ANALYZE"))
    return {name: _time_query(engine, sql, filled, times) for name, sql in VIEWS.items()}


def _time_query(engine: Engine, sql: str, filled: Filled, times: int) -> dict[str, Any]:
    chance, seconds, rows = random.Random(0), [], 0
    for _ in range(times):
        days = {name: str(day) for name, day in _week(chance, filled).items()}
        with reading(engine) as connection:
            begin = time.perf_counter()
            rows = len(connection.execute(text(sql), days if ":since" in sql else {}).all())
            seconds.append(time.perf_counter() - begin)
    return _percentiles(seconds) | {"statuses": [rows], "ended_by_time_limit": 0}


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


def _week(chance: random.Random, filled: Filled) -> dict[str, date]:
    room = (filled.end - filled.begin).days - 14
    since = filled.begin.date() + timedelta(days=7 + chance.randrange(max(room, 1)))
    return {"since": since, "until": since + timedelta(days=6)}


def _asks(name: str, **parameters: Any) -> str:
    return f"/{name}?{urlencode(parameters)}"


def _one_review(chance: random.Random, filled: Filled) -> dict[str, str]:
    source, review_id = filled.pick(chance)
    return {"source": source, "id": review_id}


def _word(chance: random.Random) -> dict[str, str]:
    word, pos = chance.choice(WORDS)
    return {"word": word, "pos": pos}


PAGES: dict[str, Address] = {
    "overview, a week": lambda c, f: _asks("overview", **_week(c, f)),
    "overview, a source": lambda c, f: _asks("overview", source=c.choice(SOURCES), **_week(c, f)),
    "reviews, latest": lambda c, f: "/reviews",
    "reviews of a source and label": lambda c, f: _asks(
        "reviews", source=c.choice(SOURCES), label=c.choice(("positive", "negative"))
    ),
    "reviews with a word": lambda c, f: _asks("reviews", **_word(c)),
    "reviews with a text": lambda c, f: _asks("reviews", text=c.choice(("배우", "돈 아깝", "zzz"))),
    "one review": lambda c, f: _asks("review", **_one_review(c, f)),
    "words, a week": lambda c, f: _asks("words", **_week(c, f)),
    "words of a source": lambda c, f: _asks("words", source=c.choice(SOURCES), **_week(c, f)),
    "one word": lambda c, f: _asks("word", **_word(c)),
    "models": lambda c, f: "/models",
    "comparison": lambda c, f: _asks("comparison", a=OTHER, b=SERVING),
    "state": lambda c, f: "/state",
}

VIEWS: dict[str, str] = {
    "words of a week": (
        "SELECT surface, pos, SUM(negative_reviews) AS reviews, "
        "SUM(negative_total_heat) / SUM(negative_occurrences) AS mean_heat "
        "FROM keyword_trend WHERE method = 'gradcam' AND day >= :since AND day <= :until "
        "GROUP BY surface, pos HAVING SUM(negative_occurrences) >= 20 ORDER BY mean_heat LIMIT 20"
    ),
    "rows of the daily sums": "SELECT COUNT(*) FROM keyword_days GROUP BY source",
}

DATASETTE: dict[str, Address] = {
    "latest reviews": lambda c, f: "/iyu/review_scores?_sort_desc=submitted_at&_nocount=1",
    "one review": lambda c, f: (
        "/iyu/token_heat?"
        + urlencode(
            {
                "source": (key := _one_review(c, f))["source"],
                "review_id": key["id"],
                "_nocount": 1,
            }
        )
    ),
    "reviews with a word": lambda c, f: (
        "/iyu/token_heat?"
        + urlencode({"surface": _word(c)["word"], "_sort_desc": "submitted_at", "_nocount": 1})
    ),
    "token_heat as it comes": lambda c, f: "/iyu/token_heat",
    "keyword_importance": lambda c, f: "/iyu/keyword_importance",
}


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
