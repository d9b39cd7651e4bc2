"""Processor time a review of each part of the way: what bounds the throughput.

    python -m benchmarks.profile PATH [--model wide] [--reviews 50000] [--turns 3] [--json FILE]

First the real way, submit to rows on SQLite with two worker processes, by process. Then the parts
of a worker process alone, in this one, in chunks of 512. Processor time does not count what waits
for a core; a busy machine still slows down what runs.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import psutil
import redis
import typer

from benchmarks._command import run
from benchmarks._parts import BELOW, STEPS, Micros, measure
from benchmarks._report import finish, header, note, progress, spread, table
from benchmarks._reviews import raw_reviews, read_reviews
from benchmarks._services import children, database, scratch, stores, worker
from benchmarks._submit import drain, submit
from benchmarks.ways.product import WARM_UP
from iyu.schemas.sql.engine import connected
from tests.harness.services import Process

#: Worker processes.
PROCESSES: Final = 2
#: Different texts of the parts' turns.
TEXTS: Final = 32_768
PRODUCER, PARENT, CHILDREN, REDIS = "producer", "worker: parent", "worker: children", "Redis"


def main(
    path: Annotated[Path, typer.Argument(help="A file of real reviews (CSV, TSV, JSON Lines).")],
    reviews: Annotated[int, typer.Option(min=1, help="On the whole way.")] = 50_000,
    turns: Annotated[int, typer.Option(min=3, help="Of the parts alone.")] = 3,
    model: Annotated[str, typer.Option(envvar="IYU_MODEL")] = "wide",
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("Profile", reviews=reviews, turns=turns, model=model, processes=PROCESSES)
    result["way"] = _way(path, reviews, model)
    progress.print("the whole way is measured; now its parts")
    with scratch() as folder, database("sqlite", folder) as address:
        texts = read_reviews(path, min(reviews, TEXTS))
        result["parts"] = measure(texts, reviews, model, address, turns, PROCESSES)
    _print(result["way"], result["parts"])
    finish(result, json)


def _way(path: Path, number: int, model: str) -> dict[str, float]:
    """Return µs of processor time a review of every process, and the reviews/s."""
    with (
        scratch() as folder,
        stores("sqlite", model, folder) as environment,
        worker(environment, folder, PROCESSES) as process,
        connected(environment["IYU_DATABASE_URL"]) as engine,
    ):
        submit(environment, "warm-up", raw_reviews(path, 0, WARM_UP))
        drain(engine)
        before, begin, mine = _seconds(environment, process), time.perf_counter(), _own_seconds()
        receipt = submit(environment, "measured", raw_reviews(path, 0, number))
        submitted = _own_seconds() - mine
        drain(engine)
        taken, after = time.perf_counter() - begin, _seconds(environment, process)
    used = {PRODUCER: submitted} | {name: after[name] - before[name] for name in after}
    micros = {name: 1e6 * seconds / receipt.accepted for name, seconds in used.items()}
    return micros | {"reviews_per_second": receipt.accepted / taken}


def _own_seconds() -> float:
    return _used(psutil.Process())


def _seconds(environment: Mapping[str, str], process: Process) -> dict[str, float]:
    with redis.Redis.from_url(environment["IYU_BROKER_URL"]) as client:
        server = psutil.Process(int(client.info("server")["process_id"]))
    return {
        PARENT: _used(psutil.Process(process.pid)),
        CHILDREN: sum(map(_used, children(process))),
        REDIS: _used(server),
    }


def _used(process: psutil.Process) -> float:
    """Return a process's seconds of processor time so far, its children's left out."""
    times = process.cpu_times()
    return float(times.user + times.system)


def _print(way: Mapping[str, float], parts: list[Micros]) -> None:
    processes = (PRODUCER, PARENT, CHILDREN, REDIS)
    total = sum(way[name] for name in processes)
    rows = [(name, f"{way[name]:.1f}", f"{100 * way[name] / total:.0f} %") for name in processes]
    rows.append(("together", f"{total:.1f}", ""))
    table("The whole way, processor time", ("process", "µs a review", "share"), rows)
    note(f"{way['reviews_per_second']:,.0f} reviews/s from submit to the last row")
    steps = [_row(name, parts) for name in STEPS]
    for step, name in BELOW.items():
        at = next(i for i, row in enumerate(steps) if row[0] == step)
        steps.insert(at + 1, _row(name, parts, "  "))
    known = sum(median(turn[name] for turn in parts) for name in STEPS)
    steps.append(("together, what is indented left out", f"{known:.1f}", ""))
    table("A child's parts alone, medians", ("part", "µs a review", "range"), steps)
    note(f"the children's other {way[CHILDREN] - known:.1f} µs: Celery, Redis, waiting for SQLite")


def _row(name: str, parts: list[Micros], indent: str = "") -> tuple[Any, ...]:
    found = [turn[name] for turn in parts]
    return indent + name, f"{median(found):.1f}", spread(found) if min(found) > 0 else ""


if __name__ == "__main__":
    run(main)
