"""Reviews that arrive one by one, and the moment each is a row that others see."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select

from benchmarks._submit import settings_of
from iyu.producer.producer import Producer
from iyu.schemas.sql.engine import connect, reading
from iyu.schemas.sql.tables import explanations

#: Seconds between two looks into the table: the error of a time.
LOOK_EVERY = 0.002
#: Seconds after the last review until the missing ones count as lost.
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds from `submit` to a visible row."""

    seconds: Sequence[float]  # sorted

    def percentile(self, share: float) -> float:
        """Return the latency that this share of the reviews stayed below, in milliseconds."""
        return 1000 * self.seconds[min(int(share * len(self.seconds)), len(self.seconds) - 1)]


def measure(
    environment: Mapping[str, str], source: str, texts: Iterable[str], rate: float, linger: float
) -> Latencies:
    """Submit texts at a rate (a second), whether or not those before are done.

    Raises RuntimeError if a review does not become a row.
    """
    engine = connect(environment["IYU_DATABASE_URL"])
    submitted: dict[str, float] = {}
    seen: dict[str, float] = {}
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(engine, source, submitted, seen, ended))
    watcher.start()
    with Producer(settings_of(environment), source=source, linger=linger) as producer:
        begin = time.perf_counter()
        for i, text in enumerate(texts):
            time.sleep(max(0.0, begin + i / rate - time.perf_counter()))
            review_id = f"{i:06d}"
            submitted[review_id] = time.perf_counter()
            producer.submit(text, review_id=review_id)
    ended.set()
    watcher.join()
    engine.dispose()
    if len(seen) < len(submitted):
        raise RuntimeError(f"{len(submitted) - len(seen)} reviews of {source} did not become rows")
    return Latencies(sorted(seen[review_id] - at for review_id, at in submitted.items()))


def _watch(
    engine: Engine,
    source: str,
    submitted: Mapping[str, float],
    seen: dict[str, float],
    ended: threading.Event,
) -> None:
    oldest, last = 0, time.perf_counter()
    with reading(engine) as connection:
        while not (ended.is_set() and (len(seen) == len(submitted) or _is_late(last))):
            ids = connection.scalars(
                select(explanations.c.review_id).where(
                    explanations.c.source == source, explanations.c.review_id >= f"{oldest:06d}"
                )
            ).all()
            connection.rollback()  # the next look is at the newest rows
            now = time.perf_counter()
            for review_id in set(ids) - seen.keys():
                seen[review_id] = last = now
            while f"{oldest:06d}" in seen:
                oldest += 1
            time.sleep(LOOK_EVERY)


def _is_late(last: float) -> bool:
    return time.perf_counter() - last > PATIENCE
