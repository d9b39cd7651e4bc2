"""What the results feed costs whoever stores scores: each chunk with its event, and without.

    python -m benchmarks.feed PATH [--reviews 50000] [--chunks 512,32,1] [--uuids]

Two databases of a kind take the same chunks in turns; in one of them no event is written. No queue
and no model: heat by chance, as large as a model's. Shares are of storing alone, which is a part of
what a worker does. Processor time is that of this process and of its PostgreSQL session.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any
from unittest.mock import patch

import typer
from sqlalchemy import Engine, text

from benchmarks._command import run
from benchmarks._report import finish, header, progress, table
from benchmarks._reviews import read_reviews, renewed
from benchmarks._scored_store import invent_predictions
from benchmarks._services import DATABASES, database, scratch
from benchmarks._size import database_bytes
from benchmarks.store import BEGIN, VERSION
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.results.events import record_scored
from iyu.schemas.sql.engine import connected, writing
from iyu.worker.rows import write_chunk as store
from iyu.worker.rows.add_to_keyword_days import DELTAS_AT_ONCE, add_all_deltas
from iyu.worker.scoring import Prediction

TEXTS = 5_000
#: Chunks of one review are transactions: so many are enough.
MOST_CHUNKS = 2_000
STEP = timedelta(minutes=20)


def main(
    path: Annotated[Path, typer.Argument(help="A file of real reviews (CSV, TSV, JSON Lines).")],
    reviews: Annotated[int, typer.Option(help="Stored in each database, at most.")] = 50_000,
    chunks: Annotated[str, typer.Option(help="Reviews a chunk; comma-separated.")] = "512,32,1",
    uuids: Annotated[bool, typer.Option("--uuids", help="Ids of 36 characters, not 9.")] = False,
    databases: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(DATABASES),
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("Feed", reviews=reviews, uuids=uuids)
    texts = read_reviews(path, TEXTS)
    predictions = invent_predictions(texts)
    found: dict[str, dict[str, float]] = {}
    for kind in databases.split(","):
        for size in map(int, chunks.split(",")):
            number = min(reviews, size * MOST_CHUNKS)
            given = list(renewed(texts, number))
            if uuids:
                given = [Review(new_id(), review.text) for review in given]
            with _pair(kind) as (fed, unfed):
                found[f"{kind}, {size} a chunk"] = _measure(fed, unfed, given, predictions, size)
            progress.print(f"{kind}: chunks of {size}")
    result["found"] = found
    columns = ("database", "CPU without, µs", "of the event", "share", "of time", "bytes a review")
    rows = [
        (name, f"{f['without_us']:.1f}", f"{f['event_us']:.2f}", f"{100 * f['share']:.1f} %",
         f"{100 * f['share_of_time']:.1f} %", f"{f['bytes']:.0f}")
        for name, f in found.items()
    ]  # fmt: skip
    table("The results feed beside the rest of storing, medians over pairs", columns, rows)
    finish(result, json)


@contextmanager
def _pair(kind: str) -> Iterator[tuple[Engine, Engine]]:
    """Give two databases with the model in each."""
    with (
        scratch() as one,
        scratch() as other,
        database(kind, one) as fed,
        database(kind, other) as unfed,
        connected(fed) as first,
        connected(unfed) as second,
    ):
        for engine in (first, second):
            with writing(engine) as connection:
                manifest = {"preset": "benchmark", "created_at": utc_now().isoformat()}
                store.register_model(connection, VERSION, manifest)
        yield first, second


def _measure(
    fed: Engine, unfed: Engine, given: list[Review], predictions: list[Prediction], size: int
) -> dict[str, float]:
    seconds: dict[bool, list[float]] = {True: [], False: []}
    used: dict[bool, list[float]] = {True: [], False: []}
    sessions = {True: _session(fed), False: _session(unfed)}
    for number, at in enumerate(range(0, len(given), size)):
        part = tuple(given[at : at + size])
        chunk = Chunk(new_id(), "shop", part, BEGIN + number * STEP)
        scored = [predictions[(at + i) % len(predictions)] for i in range(len(part))]
        for with_event in (number % 2 == 0, number % 2 == 1):  # neither is always the first
            engine = fed if with_event else unfed
            before = _used(sessions[with_event])
            seconds[with_event].append(_write(engine, chunk, scored, with_event))
            used[with_event].append(_used(sessions[with_event]) - before)
        if number % DELTAS_AT_ONCE == DELTAS_AT_ONCE - 1:  # as workers do, in neither time
            add_all_deltas(fed)
            add_all_deltas(unfed)
    without, event = median(used[False]), _median_difference(used)
    return {
        "without_us": 1e6 * without / size,
        "event_us": 1e6 * event / size,
        "share": event / without,
        "share_of_time": _median_difference(seconds) / median(seconds[False]),
        "bytes": _event_bytes(fed, unfed) / len(given),
    }


def _median_difference(found: dict[bool, list[float]]) -> float:
    return median(a - b for a, b in zip(found[True], found[False], strict=True))


def _write(engine: Engine, chunk: Chunk, scored: list[Prediction], with_event: bool) -> float:
    """Store a chunk; return the seconds until it was committed."""
    event: Any = record_scored if with_event else lambda *_: None
    with patch.object(store, "record_scored", event):
        begin = time.perf_counter()
        with writing(engine) as connection:
            store.write(connection, chunk, scored, VERSION)
        return time.perf_counter() - begin


def _session(engine: Engine) -> Path | None:
    """Return where Linux keeps the nanoseconds of this engine's one PostgreSQL session."""
    if engine.dialect.name == "sqlite":
        return None
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    return Path(f"/proc/{pid}/schedstat")


def _used(session: Path | None) -> float:
    """Return the processor seconds of this process and of a session so far."""
    server = int(session.read_text().split()[0]) / 1e9 if session else 0.0
    return time.process_time() + server


def _event_bytes(fed: Engine, unfed: Engine) -> float:
    """Return what the events take: PostgreSQL says so, of SQLite's files one is the larger."""
    if fed.dialect.name == "sqlite":
        return float(database_bytes(fed) - database_bytes(unfed))
    with fed.connect() as connection:
        size = text("SELECT pg_total_relation_size('result_events')")
        return float(connection.execute(size).scalar_one())


if __name__ == "__main__":
    run(main)
