"""What one look finds, before it becomes metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from iyu.schemas.ledger.totals import Totals


@dataclass(frozen=True, slots=True)
class Pending:
    """Open chunks of one queue in one state."""

    queue: str  # reviews.rescore for all models that score stored reviews again
    state: str  # queued or running
    chunks: int
    reviews: int
    swept: int  # times they were lost and published again
    oldest_seconds: float  # since the oldest of them came in


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """What the ledger says."""

    pending: Sequence[Pending]
    finished: Totals  # of chunks that are pruned too
    dead_open: Mapping[str, int]  # dead letters that wait for somebody, by reason
    dead_buried: Mapping[str, int]  # times something was buried, by reason
    rescore_queues: Sequence[str]  # that have open chunks

    @property
    def open_chunks(self) -> int:
        """Return how many chunks had to be summed up."""
        return sum(found.chunks for found in self.pending)

    def accepted(self, queue: str) -> float:
        """Return the reviews that ever came in; a split chunk's are counted as its parts'."""
        open_ones = sum(found.reviews for found in self.pending if found.queue == queue)
        return open_ones + sum(
            self.finished.of(queue, f"reviews.{state}") for state in ("done", "dead")
        )

    @property
    def swept(self) -> float:
        """Return how often a chunk was lost and published again."""
        return self.finished.everywhere("swept") + sum(found.swept for found in self.pending)


@dataclass(frozen=True, slots=True)
class Workers:
    """Living workers of one kind."""

    model_version: str
    iyu_version: str
    count: int


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    """What the database says of itself and of who writes to it."""

    size_bytes: int
    table_bytes: Mapping[str, int]  # PostgreSQL only
    table_rows: Mapping[str, int]  # about; nothing is counted for it
    shown_model: tuple[str, str] | None  # name and version that the views show
    workers: Sequence[Workers]
    last_sweep_seconds: float | None  # since; None before the first one


@dataclass(frozen=True, slots=True)
class FeedFigures:
    """Who reads the results feed, and how far behind."""

    lag_seconds: Mapping[str, float]  # of the slowest: held-back, consumers, webhooks
    webhooks: Mapping[str, int]  # active, failing, ended
    deliveries_waiting: int
    deliveries_attempted: int  # failed attempts of those that wait
    given_up: int  # messages, ever


@dataclass(frozen=True, slots=True)
class BrokerFigures:
    """What Redis holds."""

    messages: Mapping[str, int]  # waiting, by queue
    unacknowledged: int
    oldest_unacknowledged_seconds: float
    memory_bytes: int
    memory_limit_bytes: int  # 0: none
