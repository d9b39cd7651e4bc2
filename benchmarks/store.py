"""What one database takes: predictions that are ready, written as workers write them.

    python -m benchmarks.store PATH [--reviews 40000] [--writers 1,2] [--runs 3] [--json FILE]

No queue, no ledger, no model: transactions of 512 reviews with their heatmaps, and the daily
figures of words. Writers and database share the machine's cores.
"""

import multiprocessing
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from benchmarks._command import run
from benchmarks._kept_store import log_bytes
from benchmarks._report import finish, header, progress, spread, table
from benchmarks._reviews import read_reviews, renewed
from benchmarks._services import DATABASES, database, scratch
from benchmarks._size import table_bytes
from iyu.schemas.contract.message import MAX_REVIEWS, Chunk, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.sql.engine import connected, writing
from iyu.worker.rows import write_chunk as store
from iyu.worker.rows.add_to_keyword_days import DELTAS_AT_ONCE, add_deltas
from iyu.worker.scoring import Prediction, Scorer
from iyu.worker.service.child_process import settle_memory

#: Different texts: each has its prediction in memory.
TEXTS = 10_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
#: Between two chunks: many meet on one day, as they do in a backfill.
STEP = timedelta(minutes=20)
VERSION = "benchmark"

Ready = tuple[list[Review], list[Prediction]]


def main(
    path: Annotated[Path, typer.Argument(help="A file of real reviews (CSV, TSV, JSON Lines).")],
    reviews: Annotated[int, typer.Option(help="Of each writer.")] = 40_000,
    writers: Annotated[str, typer.Option(help="Comma-separated.")] = "1,2",
    runs: Annotated[int, typer.Option(min=1)] = 3,
    databases: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(DATABASES),
    model: Annotated[str, typer.Option(envvar="IYU_MODEL")] = "wide",
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("Store", reviews=reviews, runs=runs, model=model)
    ready = _score(read_reviews(path, TEXTS), model)
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for turn in range(runs):
        for kind in databases.split(","):
            for number in map(int, writers.split(",")):
                found[f"{kind}, {number} writers"].append(_measure(kind, number, reviews, ready))
        progress.print(f"run {turn + 1}")
    result["runs"] = found
    _print(found)
    finish(result, json)


def _score(texts: list[Review], model: str) -> Ready:
    scorer = Scorer.load(model)
    predictions = []
    for at in range(0, len(texts), MAX_REVIEWS):
        predictions += scorer.score([review.text for review in texts[at : at + MAX_REVIEWS]])
    settle_memory()
    return texts, predictions


def _measure(kind: str, writers: int, reviews: int, ready: Ready) -> dict[str, float]:
    with scratch() as folder, database(kind, folder) as address, connected(address) as engine:
        manifest = {"preset": "benchmark", "created_at": utc_now().isoformat()}
        with writing(engine) as connection:
            store.register_model(connection, VERSION, manifest)
        before, begin = log_bytes(engine), time.perf_counter()
        # Forked, for the predictions are in memory; TensorFlow is not touched any more.
        forked = multiprocessing.get_context("fork")
        processes = [
            forked.Process(target=_write, args=(address, f"source {i}", reviews, ready))
            for i in range(writers)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        seconds = time.perf_counter() - begin
        if any(process.exitcode for process in processes):
            raise RuntimeError("a writer failed; its error stands above")
        total = writers * reviews
        return {
            "reviews_per_second": total / seconds,
            "log_bytes_a_review": (log_bytes(engine) - before) / total,
            "database_bytes_a_review": sum(table_bytes(engine).values()) / total,
        }


def _write(address: str, source: str, number: int, ready: Ready) -> None:
    texts, predictions = ready
    many = list(renewed(texts, number))
    with connected(address) as engine:
        deltas: list[int] = []
        for chunk, at in enumerate(range(0, number, MAX_REVIEWS)):
            part = tuple(many[at : at + MAX_REVIEWS])
            scored = [predictions[(at + i) % len(predictions)] for i in range(len(part))]
            given = Chunk(new_id(), source, part, BEGIN + chunk * STEP)
            with writing(engine) as connection:
                delta = store.write(connection, given, scored, VERSION)
            deltas += [] if delta is None else [delta]
            if len(deltas) >= DELTAS_AT_ONCE:
                add_deltas(engine, deltas)
                deltas = []
        add_deltas(engine, deltas)


def _print(found: dict[str, list[dict[str, Any]]]) -> None:
    rows = []
    for name, runs in found.items():
        rates = [run["reviews_per_second"] for run in runs]
        log = median(run["log_bytes_a_review"] for run in runs)
        size = median(run["database_bytes_a_review"] for run in runs)
        figures = f"{size:,.0f}" if size else "", f"{log:,.0f}" if log else ""
        rows.append((name, f"{median(rates):,.0f}", spread(rates), *figures))
    columns = ("database", "reviews/s", "range", "bytes a review", "log bytes a review")
    table("Ready predictions to rows, medians", columns, rows)


if __name__ == "__main__":
    run(main)
