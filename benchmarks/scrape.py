"""What a scrape of `iyu metrics` costs beside a ledger of a given size.

    python -m benchmarks.scrape --reviews 1000000 --live 1000000 --pending 100000

The ledger is written by SQL, for the scrape reads nothing else that grows with the reviews.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

from sqlalchemy import Engine

from iyu.console.metrics.collector import IyuCollector
from iyu.schemas.contract.settings import Settings
from iyu.schemas.sql.engine import connected, upgrade, writing
from tests.harness.services import PostgresServer, RedisServer

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
    if count:
        with writing(engine) as connection:
            connection.exec_driver_sql(statement)


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """Give an address of each kind."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        server = PostgresServer()
        stack.callback(server.remove)
        yield {"sqlite": f"sqlite:///{folder}/iyu.db", "postgresql": server.create_database()}


def measure(collector: IyuCollector, times: int) -> tuple[float, list[float]]:
    """Return the milliseconds of the first scrape, and of the others."""
    taken = []
    for _ in range(times + 1):
        began = perf_counter()
        list(collector.collect())
        taken.append(1000 * (perf_counter() - began))
    return taken[0], taken[1:]


def main() -> None:
    """Measure on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=int, default=1_000_000, help="in chunks of 512, done")
    parser.add_argument("--live", type=int, default=0, help="done, a chunk each")
    parser.add_argument("--pending", type=int, default=0, help="a chunk each")
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    with databases() as addresses, tempfile.TemporaryDirectory() as folder:
        broker = RedisServer(Path(folder))
        broker.start()
        for name, address in addresses.items():
            with connected(address) as engine:
                upgrade(engine)
                fill(engine, "reviews.bulk", given.reviews // 512, 512, done=True)
                fill(engine, "reviews.live", given.live, 1, done=True)
                fill(engine, "reviews.wait", given.pending, 1, done=False)
                if name == "postgresql":  # as its autovacuum would
                    with writing(engine) as connection:
                        connection.exec_driver_sql("ANALYZE chunks")
                settings = Settings(broker_url=broker.url, database_url=address)
                first, others = measure(IyuCollector(settings, engine), given.times)
            print(
                f"{name}: the first scrape {first:,.0f} ms, then {median(others):,.1f} ms, "
                f"at most {max(others):,.1f} ms"
            )
        broker.stop()


if __name__ == "__main__":
    main()
