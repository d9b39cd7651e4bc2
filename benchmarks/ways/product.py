"""iyu itself: submit a file, and wait until its last row is committed."""

import time
from collections.abc import Sequence

from sqlalchemy import Engine, func, select

from benchmarks._services import services
from benchmarks._submit import submit
from schemas import ledger
from schemas.database import connect, reading
from schemas.review import Review
from schemas.tables import explanations

#: Reviews that pass before the clock starts: the dictionary is in memory then.
WARM_UP = 4096


def run(kind: str, reviews: Sequence[Review], model: str) -> float:
    """Return reviews/s from the first review handed over to the last row committed."""
    with services(kind, model) as environment:
        engine = connect(environment["IYU_DATABASE_URL"])
        submit(environment, "warm-up", reviews[:WARM_UP])
        _drain(engine)
        begin = time.perf_counter()
        submit(environment, "measured", reviews)
        _drain(engine)
        seconds = time.perf_counter() - begin
        _check(engine, len({review.review_id for review in reviews}))
        engine.dispose()
    return len(reviews) / seconds


def _drain(engine: Engine) -> None:
    while True:
        with reading(engine) as connection:
            if not ledger.pending(connection):
                return
        time.sleep(0.02)


def _check(engine: Engine, number: int) -> None:
    with reading(engine) as connection:
        stored = connection.scalar(select(func.count()).where(explanations.c.source == "measured"))
    if stored != number:
        raise RuntimeError(f"{number} reviews went in, {stored} explanations are stored")
