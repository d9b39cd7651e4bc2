"""A backlog as it stands after a month of several shops: whole, before any worker begins."""

import math
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import redis

from benchmarks._reviews import renewed
from benchmarks._submit import settings_of, submit
from iyu.producer.linger_buffer import Clock
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.review import Review

#: Where the reviews come from, and the share of each: one large, one rare.
SHARES: Final = {"shop": 0.70, "films": 0.20, "crm": 0.09, "forum": 0.01}
#: Parts of the time, one after the other: every tenth of a backlog is of the same mix.
ROUNDS: Final = 10


class SpreadClock(Clock):
    """Tells times at equal distances, so that a minute of submitting looks like a month."""

    def __init__(self, begin: datetime, step: timedelta) -> None:
        super().__init__()
        self._next = begin
        self._step = step

    def now(self) -> datetime:
        """Return the next time; a producer asks once a chunk."""
        now, self._next = self._next, self._next + self._step
        return now


@dataclass(frozen=True, slots=True)
class Backlog:
    """What was submitted, and what it costs while it waits."""

    counts: Mapping[str, int]  # reviews of each source; their ids are those of `renewed`
    begin: datetime
    end: datetime
    submit_rate: float  # reviews/s, committed to the ledger and published
    redis_bytes: float  # a review, by the difference of used_memory

    @property
    def reviews(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    @property
    def sources(self) -> list[str]:
        """Where they come from."""
        return sorted(self.counts)

    def pick(self, chance: random.Random) -> tuple[str, str]:
        """Return source and id of a review."""
        [source] = chance.choices(list(self.counts), list(self.counts.values()))
        return source, f"{chance.randrange(self.counts[source]):09d}"


def make_backlog(
    environment: Mapping[str, str], texts: list[Review], number: int, days: int, end: datetime
) -> Backlog:
    """Submit reviews of all sources, oldest first; nobody may consume meanwhile."""
    counts = {source: max(ROUNDS, round(share * number)) for source, share in SHARES.items()}
    counts["shop"] += number - sum(counts.values())
    endless = {source: renewed(texts, count) for source, count in counts.items()}
    begin, period = end - timedelta(days=days), timedelta(days=days) / ROUNDS
    before, started = used_memory(environment), time.perf_counter()
    for turn in range(ROUNDS):
        parts = {
            source: list(islice(endless[source], _edge(count, turn + 1) - _edge(count, turn)))
            for source, count in counts.items()
        }
        _submit_round(environment, parts, begin + turn * period, period)
    seconds = time.perf_counter() - started
    held = used_memory(environment) - before
    return Backlog(counts, begin, end, number / seconds, held / number)


def _edge(count: int, turn: int) -> int:
    return count * turn // ROUNDS


def _submit_round(
    environment: Mapping[str, str],
    parts: Mapping[str, list[Review]],
    begin: datetime,
    period: timedelta,
) -> None:
    chunk_size = settings_of(environment).chunk_size
    for source, part in parts.items():
        step = period / math.ceil(len(part) / chunk_size)
        rows = ((review.review_id, review.text) for review in part)
        submit(environment, source, rows, SpreadClock(begin, step))


@contextmanager
def held_back(environment: Mapping[str, str]) -> Iterator[None]:
    """Keep what waits out of the workers' sight until the end, when all of it is there at once."""
    with redis.Redis.from_url(environment["IYU_BROKER_URL"]) as client:
        queues = [queue.value for queue in Queue if client.exists(queue)]
        for queue in queues:
            client.rename(queue, f"held.{queue}")
        yield
        for queue in queues:
            client.rename(f"held.{queue}", queue)


def used_memory(environment: Mapping[str, str]) -> int:
    """Return the bytes Redis has allocated."""
    with redis.Redis.from_url(environment["IYU_BROKER_URL"]) as client:
        return int(client.info("memory")["used_memory"])
