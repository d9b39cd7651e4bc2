"""Time from `submit` to a visible row, of reviews that arrive one by one.

    python -m benchmarks.latency PATH [--seconds 20] [--linger 0.02] [--json FILE]

At several rates on an idle system, and at one rate while a backfill keeps both workers busy.
"""

from collections.abc import Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks._command import run
from benchmarks._live import Latencies, measure
from benchmarks._report import finish, header, progress, table
from benchmarks._reviews import raw_reviews, read_reviews, renewed
from benchmarks._services import DATABASES, services
from benchmarks._submit import drain, submit
from iyu.schemas.contract.review import Review
from iyu.schemas.ledger.progress import pending
from iyu.schemas.sql.engine import connect, reading

#: Reviews/s that arrive while a backfill runs.
BUSY_RATE = 20.0
#: Reviews of the backfill for each second it has to last: more than two workers score.
BACKFILL_A_SECOND = 20_000
COLUMNS = ("arriving", "reviews", "p50 ms", "p95 ms", "p99 ms", "max ms")


def main(
    path: Annotated[Path, typer.Argument(help="A file of real reviews (CSV, TSV, JSON Lines).")],
    rates: Annotated[str, typer.Option(help="Reviews a second, comma-separated.")] = "1,10,100,500",
    seconds: Annotated[float, typer.Option(help="At each rate.")] = 20.0,
    linger: Annotated[float, typer.Option(help="Seconds a review waits for company.")] = 0.02,
    databases: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(DATABASES),
    model: Annotated[str, typer.Option(envvar="IYU_MODEL")] = "wide",
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("Latency", seconds=seconds, linger=linger)
    reviews = read_reviews(path, 50_000)
    for kind in databases.split(","):
        with services(kind, model) as environment:
            submit(environment, "warm-up", raw_reviews(path, 0, 4096))
            drain(connect(environment["IYU_DATABASE_URL"]))
            rows = {}
            for rate in map(float, rates.split(",")):
                rows[f"{rate:g}/s"] = _singles(environment, reviews, rate, seconds, linger)
            busy = f"{BUSY_RATE:g}/s during a backfill"
            rows[busy] = _during_backfill(environment, reviews, seconds, linger)
        table(f"{kind}: submit to visible row", COLUMNS, [_row(*item) for item in rows.items()])
        result[kind] = {name: _figures(found) for name, found in rows.items()}
    finish(result, json)


def _singles(
    environment: Mapping[str, str],
    reviews: list[Review],
    rate: float,
    seconds: float,
    linger: float,
    source: str = "single",
) -> Latencies:
    texts = islice(cycle(review.text for review in reviews), max(10, int(rate * seconds)))
    progress.print(f"{source}: {rate:g} reviews/s")
    return measure(environment, f"{source} {rate:g}", texts, rate, linger)


def _during_backfill(
    environment: Mapping[str, str], reviews: list[Review], seconds: float, linger: float
) -> Latencies:
    many = renewed(reviews, int((seconds + 5) * BACKFILL_A_SECOND))
    submit(environment, "backfill", ((review.review_id, review.text) for review in many))
    found = _singles(environment, reviews, BUSY_RATE, seconds, linger, "busy")
    with reading(connect(environment["IYU_DATABASE_URL"])) as connection:
        if not pending(connection):
            raise RuntimeError("the backfill ended before the measurement; make it larger")
    return found


def _row(name: str, found: Latencies) -> tuple[object, ...]:
    figures = _figures(found)
    return (name, len(found.seconds), *(f"{figures[p]:.0f}" for p in ("p50", "p95", "p99", "max")))


def _figures(found: Latencies) -> dict[str, Any]:
    shares = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(found.percentile(share), 1) for name, share in shares.items()}


if __name__ == "__main__":
    run(main)
