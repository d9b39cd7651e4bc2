"""How fast reviews are forgotten, and what hiding rare words costs a query.

    python -m benchmarks.forget PATH [--reviews 100000] [--forgotten 10000] [--json FILE]

A database of scored reviews with heatmaps, some of them waiting to be scored again, and broken
messages among the dead letters. A tenth is forgotten by id; then the words of a week are queried.
"""

import random
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from sqlalchemy import Engine, text

from benchmarks._command import run
from benchmarks._report import finish, header, progress, table
from benchmarks._reviews import read_reviews, renewed
from benchmarks._services import DATABASES, database, scratch
from benchmarks.store import BEGIN, VERSION, _score, _write
from iyu.schemas.contract.message import MAX_REVIEWS, Chunk, new_id
from iyu.schemas.contract.review import Reason, utc_now
from iyu.schemas.erasure import forget_all
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.dead_letters import bury_raw
from iyu.schemas.sql.engine import connected, reading, writing
from iyu.worker.rows import write_chunk as store

SOURCE = "source 0"
#: Broken messages among the dead letters.
LETTERS = 200
QUERIES = 20
_WEEK = text(
    "SELECT surface, pos, SUM(negative_reviews) AS reviews, "
    "SUM(negative_total_heat) / SUM(negative_occurrences) AS mean_heat "
    "FROM keyword_trend WHERE method = 'gradcam' "
    "AND day >= (SELECT MIN(day) FROM keyword_days) "
    "GROUP BY surface, pos HAVING SUM(negative_occurrences) >= 20 ORDER BY mean_heat LIMIT 20"
)
#: The same as the view was before it hid rare words.
_WEEK_OF_ALL = text(
    "SELECT surface, pos, SUM(reviews - positive_reviews) AS reviews, "
    "SUM(heat - positive_heat) / SUM(occurrences - positive_occurrences) AS mean_heat "
    "FROM keyword_days AS d JOIN models AS m ON m.model_version = d.model_version "
    "WHERE m.model_version = (SELECT model_version FROM models WHERE activated_at IS NOT NULL "
    "ORDER BY activated_at DESC, model_version LIMIT 1) AND d.reviews > 0 "
    "AND method = 'gradcam' AND day >= (SELECT MIN(day) FROM keyword_days) "
    "GROUP BY surface, pos HAVING SUM(occurrences - positive_occurrences) >= 20 "
    "ORDER BY mean_heat LIMIT 20"
)


def main(
    path: Annotated[Path, typer.Argument(help="A file of real reviews (CSV, TSV, JSON Lines).")],
    reviews: Annotated[int, typer.Option(help="Stored.")] = 100_000,
    forgotten: Annotated[int, typer.Option(help="Of these.")] = 10_000,
    pending: Annotated[int, typer.Option(help="Waiting to be scored again.")] = 20_000,
    databases: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(DATABASES),
    model: Annotated[str, typer.Option(envvar="IYU_MODEL")] = "wide",
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("Forget", reviews=reviews, forgotten=forgotten, pending=pending, model=model)
    ready = _score(read_reviews(path, 10_000), model)
    found: dict[str, dict[str, float]] = {}
    for kind in databases.split(","):
        with scratch() as folder, database(kind, folder) as address, connected(address) as engine:
            _fill(engine, address, reviews, pending, ready)
            progress.print(f"{kind}: filled")
            found[kind] = _measure(engine, reviews, forgotten)
    result["found"] = found
    columns = (
        "database",
        "forgotten/s",
        "a CPU second of the client",
        "words of a week, ms",
        "with the rare ones, ms",
    )
    table(
        "Forget", columns, [(kind, *map("{:,.0f}".format, f.values())) for kind, f in found.items()]
    )
    finish(result, json)


def _fill(engine: Engine, address: str, reviews: int, pending: int, ready: Any) -> None:
    manifest = {"preset": "benchmark", "created_at": utc_now().isoformat()}
    with writing(engine) as connection:
        store.register_model(connection, VERSION, manifest)
    _write(address, SOURCE, reviews, ready)
    many = list(renewed(ready[0], pending))
    for at in range(0, pending, MAX_REVIEWS):
        chunk = Chunk(new_id(), SOURCE, tuple(many[at : at + MAX_REVIEWS]), BEGIN, new_id())
        with writing(engine) as connection:
            ledger.accept(connection, [chunk])
    with writing(engine) as connection:
        for number in range(LETTERS):
            raw = f'{{"source": "other", "reviews": [["{number}", "글"]'
            bury_raw(connection, raw * 20, Reason.BAD_MESSAGE, "no JSON")
        if engine.dialect.name == "postgresql":
            connection.execute(text("ANALYZE"))


def _measure(engine: Engine, reviews: int, forgotten: int) -> dict[str, float]:
    week = {"shown": _seconds(engine, _WEEK), "all": _seconds(engine, _WEEK_OF_ALL)}
    ids = [f"{n:09d}" for n in random.Random(5).sample(range(reviews), forgotten)]
    begin, used = time.perf_counter(), time.process_time()
    erased = forget_all(engine, SOURCE, ids)
    seconds, used = time.perf_counter() - begin, time.process_time() - used
    if erased.stored != forgotten:
        raise RuntimeError(f"{forgotten} reviews were to be forgotten, found: {erased}")
    rates = {"forgotten": forgotten / seconds, "forgotten_a_cpu_second": forgotten / used}
    return rates | {k: 1000 * v for k, v in week.items()}


def _seconds(engine: Engine, query: Any) -> float:
    """Return the median time of a query."""
    return median(_timed(lambda: _rows(engine, query)) for _ in range(QUERIES))


def _rows(engine: Engine, query: Any) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(query))


def _timed(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


if __name__ == "__main__":
    run(main)
