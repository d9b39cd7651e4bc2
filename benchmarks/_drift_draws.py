"""Days drawn from real reviews: the daily sums that `iyu drift` would read."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from benchmarks._drift_pool import Pool
from iyu.console.trust.drift.daily_words import LEAST, MOST
from iyu.console.trust.drift.figures import BINS, DaySums
from iyu.console.trust.drift.word_order import WordDays

Rows = NDArray[np.int64]
Numbers = NDArray[Any]

#: A day's own: its share of negatives moves by so much (in logits), and so many of its reviews
#: hold its word, as if everybody spoke of one thing.
DAY_SPREAD: Final = 0.2
TOPIC_SHARE: Final = 0.1
#: Days differ in size: the standard deviation of its logarithm.
SIZE_SPREAD: Final = 0.3
_TOPIC_REVIEWS: Final = (50, 500)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many reviews and days are drawn, and how."""

    window: int  # reviews
    window_days: int = 7
    reference_days: int = 28
    traffic: float = 1.0  # of a day of the window, over one of the reference
    day_effect: bool = False


@dataclass(frozen=True, slots=True)
class Planted:
    """What is other in the window's reviews."""

    pool: str = ""  # a part of them is drawn from these
    share: float = 0.0
    same: bool = False  # the pool has the drawn reviews themselves, changed; else others come in
    negatives: float = 0.0  # so much is added to the share of reviews with a negative label


class Source:
    """Draws days; what it draws of one pool is added up as arrays."""

    def __init__(self, pools: dict[str, Pool], words: int, rows: int | None = None) -> None:
        pools = {"real": pools["real"]} | pools  # the real ones first: their numbers are rows
        self._sizes = {name: len(pool) for name, pool in pools.items()}
        self._begin = dict(zip(pools, np.cumsum([0, *self._sizes.values()]), strict=False))
        if rows is not None:
            self._sizes["real"] = rows
        self._columns = {
            name: np.concatenate([getattr(pool, name) for pool in pools.values()])
            for name in ("probability", "label", "tokens", "unknown", "truncated")
        }
        self._held, self._heat = _holdings(pools, words)
        self._negative, self._topics = self._of_real(pools["real"])

    def draw(
        self, plan: Plan, planted: Planted, lots: np.random.Generator
    ) -> tuple[DaySums, WordDays, NDArray[np.bool_]]:
        """Return the sums of some days, and which of them are the window's."""
        in_window = np.arange(plan.window_days + plan.reference_days) < plan.window_days
        a_day = plan.window / plan.window_days * np.where(in_window, 1, 1 / plan.traffic)
        spread = np.exp(lots.normal(-(SIZE_SPREAD**2) / 2, SIZE_SPREAD, len(a_day)))
        counts = np.maximum(lots.poisson(a_day * spread), 1)
        shares = np.full(len(a_day), len(self._negative[1]) / self._sizes["real"])
        if plan.day_effect:
            odds = np.log(shares / (1 - shares)) + lots.normal(0, DAY_SPREAD, len(a_day))
            shares = 1 / (1 + np.exp(-odds))
        shares = shares + planted.negatives * in_window
        days = np.repeat(np.arange(len(counts)), counts)
        negative = lots.random(len(days)) < shares[days]
        rows = np.empty(len(days), np.int64)
        for value in (0, 1):
            some = self._negative[value]
            mine = negative == bool(value)
            rows[mine] = some[lots.integers(0, len(some), int(mine.sum()))]
        if plan.day_effect:
            self._speak_of_topics(rows, days, lots)
        if planted.pool:
            mine = in_window[days] & (lots.random(len(days)) < planted.share)
            begin, size = self._begin[planted.pool], self._sizes[planted.pool]
            others = lots.integers(0, size, int(mine.sum()))
            rows[mine] = begin + (rows[mine] if planted.same else others)
        return (*self._sum(rows, days, len(counts)), in_window)

    def _of_real(self, real: Pool) -> tuple[tuple[Rows, Rows], list[Rows]]:
        size = self._sizes["real"]
        labels = real.label[:size]
        inside = real.rows < size
        counts = np.bincount(real.words[inside])
        low, high = _TOPIC_REVIEWS
        chosen = np.flatnonzero((counts >= low) & (counts <= high))
        by_word = np.argsort(real.words[inside], kind="stable")
        ends = np.cumsum(counts)
        rows = real.rows[inside][by_word]
        topics = [rows[ends[word] - counts[word] : ends[word]] for word in chosen]
        return (np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)), topics

    def _speak_of_topics(self, rows: Rows, days: Rows, lots: np.random.Generator) -> None:
        about = np.flatnonzero(lots.random(len(rows)) < TOPIC_SHARE)
        for day in range(int(days[-1]) + 1):
            topic = self._topics[int(lots.integers(len(self._topics)))]
            mine = about[days[about] == day]
            rows[mine] = topic[lots.integers(0, len(topic), len(mine))]

    def _sum(self, rows: Rows, days: Rows, number: int) -> tuple[DaySums, WordDays]:
        c = {name: values[rows] for name, values in self._columns.items()}
        places = days * BINS + np.minimum((c["probability"] * BINS).astype(np.int64), BINS - 1)

        def by_day(values: Numbers | None = None) -> Numbers:
            return np.bincount(days, values, minlength=number).astype(np.float64)

        def by_bin(values: Numbers | None = None) -> Numbers:
            found = np.bincount(places, values, minlength=number * BINS)
            return found.reshape(number, BINS).astype(np.float64)

        sums = DaySums(
            by_day(),
            by_day((c["probability"] >= 0.5).astype(np.float64)),
            by_day(c["tokens"]),
            by_day(c["unknown"]),
            by_day(c["truncated"]),
            by_bin(),
            by_bin(c["probability"]),
        )
        shape = number, self._held.shape[0]
        drawn = csr_array((np.ones(len(rows)), (days, rows)), shape=shape)
        held = (drawn @ self._held).tocsc()
        totals = held.sum(axis=0)
        chosen = np.argsort(-totals, kind="stable")[:MOST]
        chosen = chosen[totals[chosen] >= LEAST]
        heat = (drawn @ self._heat).tocsc()
        return sums, WordDays(held[:, chosen].toarray(), heat[:, chosen].toarray())


def _holdings(pools: dict[str, Pool], words: int) -> tuple[csr_array, csr_array]:
    """Return (reviews, words) of all pools: which review holds which word, and its heat there."""
    begins = np.cumsum([0, *(len(pool) for pool in pools.values())])
    rows = np.concatenate([p.rows + b for p, b in zip(pools.values(), begins, strict=False)])
    columns = np.concatenate([p.words for p in pools.values()])
    heats = np.concatenate([p.heats for p in pools.values()])
    shape = int(begins[-1]), words
    return (
        csr_array((np.ones(len(rows)), (rows, columns)), shape=shape),
        csr_array((heats, (rows, columns)), shape=shape),
    )
