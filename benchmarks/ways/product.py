"""iyu itself: submit a file, and wait until its last row is committed."""

import time
from pathlib import Path

from sqlalchemy import Engine, func, select

from benchmarks._reviews import raw_reviews
from benchmarks._services import services
from benchmarks._submit import drain, submit
from iyu.schemas.sql.engine import connect, reading
from iyu.schemas.sql.tables import explanations

#: Reviews that pass before the clock starts: the dictionary is in memory then.
WARM_UP = 4096


def run(
    kind: str, path: Path, number: int, model: str, *, methods: str = "gradcam", count: bool = True
) -> float:
    """Return reviews/s from the first review read to the last row committed."""
    with services(kind, model, IYU_METHODS=methods) as environment:
        engine = connect(environment["IYU_DATABASE_URL"])
        submit(environment, "warm-up", raw_reviews(path, 0, WARM_UP))
        drain(engine)
        begin = time.perf_counter()
        receipt = submit(environment, "measured", raw_reviews(path, 0, number))
        drain(engine)
        seconds = time.perf_counter() - begin
        if count:
            _check(engine, receipt.accepted)
        engine.dispose()
    return receipt.accepted / seconds


def _check(engine: Engine, number: int) -> None:
    with reading(engine) as connection:
        stored = connection.scalar(select(func.count()).where(explanations.c.source == "measured"))
    if stored != number:
        raise RuntimeError(f"{number} reviews went in, {stored} explanations are stored")
