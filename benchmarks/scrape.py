"""What a scrape of `iyu metrics` costs beside a ledger of a given size.

    python -m benchmarks.scrape [--reviews 1000000] [--live 0] [--pending 0] [--json FILE]

The ledger is written by SQL, for the scrape reads nothing else that grows with the reviews.
"""

from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

import typer
from sqlalchemy import Engine

from benchmarks._command import run
from benchmarks._report import finish, header, table
from benchmarks._services import DATABASES, broker, database, scratch
from iyu.console.metrics.collector import IyuCollector
from iyu.schemas.contract.settings import Settings
from iyu.schemas.sql.engine import connected, writing

#: The times of one chunk, `{n}` seconds ago, for either database.
TIMES = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || ({n}) || ' seconds')",
    "postgresql": "now() - ({n}) * interval '1 second'",
}
NUMBERS = {
    "sqlite": "WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < {count})",
    "postgresql": "WITH g(i) AS (SELECT generate_series(1, {count}))",
}
CHUNKS = """
INSERT INTO chunks (chunk_id, source, queue, review_count, state, attempts, submitted_at,
                    accepted_at, published_at, started_at, finished_at, swept)
{numbers}
SELECT '{queue}' || i, 'shop', '{queue}', {size}, '{state}', 1, {at}, {at}, {at}, {at},
       {finished}, 0
FROM g WHERE i <= {count}
"""


def fill(engine: Engine, queue: str, count: int, size: int, *, done: bool) -> None:
    """Write chunks, one finished every tenth of a second until now."""
    dialect = engine.dialect.name
    at = TIMES[dialect].format(n=f"({count} - i) * 0.1")
    statement = CHUNKS.format(
        numbers=NUMBERS[dialect].format(count=count),
        queue=queue,
        size=size,
        state="done" if done else "queued",
        at=at,
        finished=at if done else "NULL",
        count=count,
    )
    with writing(engine) as connection:
        connection.exec_driver_sql(statement)
        if dialect == "postgresql":  # as its autovacuum would
            connection.exec_driver_sql("ANALYZE chunks")


def main(
    reviews: Annotated[int, typer.Option(help="Done, in chunks of 512.")] = 1_000_000,
    live: Annotated[int, typer.Option(help="Done, a chunk each.")] = 0,
    pending: Annotated[int, typer.Option(help="Queued, a chunk each.")] = 0,
    runs: Annotated[int, typer.Option(min=1)] = 20,
    databases: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(DATABASES),
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("A scrape", reviews=reviews, live=live, pending=pending, runs=runs)
    found = {}
    with scratch() as folder, broker(folder) as redis:
        for kind in databases.split(","):
            with database(kind, folder) as address, connected(address) as engine:
                fill(engine, "reviews.bulk", reviews // 512, 512, done=True)
                fill(engine, "reviews.live", live, 1, done=True)
                fill(engine, "reviews.wait", pending, 1, done=False)
                settings = Settings.load(broker_url=redis.url, database_url=address)
                found[kind] = measure(IyuCollector(settings, engine), runs)
    result["milliseconds"] = found
    rows = [(kind, *(f"{value:,.1f}" for value in ms.values())) for kind, ms in found.items()]
    table("Milliseconds", ("database", "first", "median of the others", "worst"), rows)
    finish(result, json)


def measure(collector: IyuCollector, runs: int) -> dict[str, float]:
    """Return the milliseconds of the first scrape, and of the others."""
    taken = []
    for _ in range(runs + 1):
        began = perf_counter()
        list(collector.collect())
        taken.append(1000 * (perf_counter() - began))
    first, *others = taken
    return {"first": first, "median": median(others), "worst": max(others)}


if __name__ == "__main__":
    run(main)
