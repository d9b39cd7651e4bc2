"""The ledger's figures as metrics."""

from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from iyu.console.metrics.figures import LedgerFigures, Pending
from iyu.console.metrics.growing import Growing
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger.chunks import OPEN, State
from iyu.schemas.ledger.totals import RESCORE, SCORING_BUCKETS, WAITING_BUCKETS, Totals

#: All that is shown as a queue; each is there from the first scrape, at 0.
QUEUES: Final = (Queue.LIVE.value, Queue.BULK.value, RESCORE)


def gauges(found: LedgerFigures, settings: Settings) -> Iterator[Metric]:
    """Give what goes up and down."""
    by_key = {(one.queue, one.state): one for one in found.pending}
    reviews = GaugeMetricFamily(
        "iyu_reviews_pending", "Reviews accepted and not finished.", labels=("queue", "state")
    )
    oldest = GaugeMetricFamily(
        "iyu_oldest_pending_review_age_seconds",
        "Age of the oldest review that is not finished; 0 if there is none.",
        labels=("queue",),
    )
    for queue in QUEUES:
        ones = [by_key.get((queue, state)) for state in OPEN]
        for state, one in zip(OPEN, ones, strict=True):
            reviews.add_metric((queue, state), one.reviews if one else 0)
        oldest.add_metric((queue,), max(one.oldest_seconds if one else 0.0 for one in ones))
    yield reviews
    yield oldest
    yield from _backpressure(found.pending, settings)
    dead = GaugeMetricFamily(
        "iyu_dead_letters_open", "Dead letters that were not replayed.", labels=("reason",)
    )
    for reason, count in sorted(found.dead_open.items()):
        dead.add_metric((reason,), count)
    yield dead


def _backpressure(pending: Sequence[Pending], settings: Settings) -> Iterator[Metric]:
    waiting = sum(one.reviews for one in pending)
    yield GaugeMetricFamily(
        "iyu_backpressure_ratio",
        "Pending reviews by the high-water mark; at 1 producers wait or are refused.",
        value=waiting / settings.high_water,
    )
    yield GaugeMetricFamily(
        "iyu_high_water_reviews",
        "Pending reviews past which producers wait (IYU_HIGH_WATER).",
        value=settings.high_water,
    )


def counters(found: LedgerFigures, growing: Growing) -> Iterator[Metric]:
    """Give what only grows."""
    accepted = CounterMetricFamily(
        "iyu_reviews_accepted", "Reviews that entered the ledger.", labels=("queue",)
    )
    scored = CounterMetricFamily(
        "iyu_reviews_scored", "Reviews in chunks that were scored and stored.", labels=("queue",)
    )
    for queue in QUEUES:
        accepted.add_metric((queue,), growing.at("accepted", queue, seen=found.accepted(queue)))
        seen = found.finished.of(queue, f"reviews.{State.DONE}")
        scored.add_metric((queue,), growing.at("scored", queue, seen=seen))
    yield accepted
    yield scored
    yield from _chunk_counters(found, growing)
    buried = CounterMetricFamily(
        "iyu_dead_letters_buried",
        "Times a review or a message became a dead letter.",
        labels=("reason",),
    )
    for reason, count in sorted(found.dead_buried.items()):
        buried.add_metric((reason,), growing.at("buried", reason, seen=count))
    yield buried


def _chunk_counters(found: LedgerFigures, growing: Growing) -> Iterator[Metric]:
    finished = CounterMetricFamily(
        "iyu_chunks_finished",
        "Chunks that ended: done; split into reviews after they killed workers; dead.",
        labels=("outcome",),
    )
    for state in (State.DONE, State.SPLIT, State.DEAD):
        seen = found.finished.everywhere(f"chunks.{state}")
        finished.add_metric((state,), growing.at("finished", state, seen=seen))
    yield finished
    yield CounterMetricFamily(
        "iyu_chunk_retries",
        "Times a chunk was begun again, counted when it ends.",
        value=growing.at("retries", seen=found.finished.everywhere("retries")),
    )
    yield CounterMetricFamily(
        "iyu_chunks_swept",
        "Times the broker had lost a chunk and it was published again.",
        value=growing.at("swept", seen=found.swept),
    )


def histograms(found: Totals, growing: Growing) -> Iterator[Metric]:
    """Give the times of what was scored."""
    waiting = HistogramMetricFamily(
        "iyu_review_waiting_seconds",
        "From the ledger to the attempt that scored a review.",
        labels=("queue",),
    )
    for queue in (Queue.LIVE.value, Queue.BULK.value):  # rescoring waits its turn by design
        seen = {name: found.of(queue, f"waiting.{name}") for name in _names(WAITING_BUCKETS)}
        _add(waiting, (queue,), seen, growing)
    yield waiting
    scoring = HistogramMetricFamily(
        "iyu_chunk_scoring_seconds",
        "From the beginning of a chunk to the end of its transaction.",
        labels=(),
    )
    seen = {name: found.everywhere(f"scoring.{name}") for name in _names(SCORING_BUCKETS)}
    _add(scoring, (), seen, growing)
    yield scoring


def _names(bounds: Sequence[float]) -> list[str]:
    return [*(f"le.{bound:g}" for bound in bounds), "count", "seconds"]


def _add(
    family: HistogramMetricFamily, labels: Sequence[str], seen: dict[str, float], growing: Growing
) -> None:
    values = {name: growing.at(family.name, *labels, name, seen=seen[name]) for name in seen}
    buckets = [
        (str(float(name.removeprefix("le."))), value)
        for name, value in values.items()
        if name.startswith("le.")
    ]
    family.add_metric(labels, [*buckets, ("+Inf", values["count"])], sum_value=values["seconds"])
