"""The state of the system: pending reviews, rate, dead letters, and messages in the broker."""

from collections.abc import Set
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select

from iyu.schemas.broker.redis_contents import count_messages, count_unacknowledged, probe_writing
from iyu.schemas.contract.errors import BrokerUnavailable, IyuError
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger import progress
from iyu.schemas.ledger.chunks import State
from iyu.schemas.results.retention import feed_lag
from iyu.schemas.sql.clock import database_now
from iyu.schemas.sql.engine import check, connected, reading
from iyu.schemas.sql.tables import chunks, dead_letters, models, webhooks

#: Celery's default: what a publisher sends without naming a queue lies there for ever.
UNNAMED_QUEUE: Final = "celery"


@dataclass(frozen=True, slots=True)
class Status:
    """Ledger and broker at one moment; of a side that does not answer only the error is known."""

    queued: dict[str, int] = field(default_factory=dict)  # reviews by queue
    running: int = 0
    done_chunks: int = 0
    scored_last_minute: int = 0
    drain_seconds: float | None = None  # None while no worker finishes any
    dead_letters: int = 0
    failing_chunks: int = 0  # pending, and failed at least once for a reason nobody foresaw
    future_times: int = 0  # chunks in the ledger whose time lay ahead of the database's clock
    model: str | None = None
    #: Events that are committed and held back from readers of the results feed, by a transaction
    #: that is still running; and seconds since the oldest of them.
    feed_held_back: int = 0
    feed_lag_seconds: float | None = None
    failing_webhooks: int = 0
    messages: dict[str, int] = field(default_factory=dict)  # in the broker, by queue
    unacknowledged: int | None = None
    misdirected: int = 0  # messages whose publisher named no queue: nobody serves them
    database_error: IyuError | None = None
    broker_error: str | None = None

    @property
    def pending(self) -> int:
        """Reviews that are queued or running."""
        return sum(self.queued.values()) + self.running

    def as_json(self) -> dict[str, Any]:
        """Return the status for a program."""
        return asdict(self) | {
            "pending": self.pending,
            "database_error": str(self.database_error) if self.database_error else None,
        }


def collect(settings: Settings, engine: Engine | None = None) -> Status:
    """Read ledger and broker; neither hides the other when it is down.

    Raises SettingsError where IYU_BROKER_URL is no address of a broker.
    """
    found: dict[str, Any] = {}
    queues: set[str] = set()
    try:
        with nullcontext(engine) if engine else connected(settings.database) as at:
            found, queues = _from_database(at)
    except IyuError as error:
        found["database_error"] = error
    return Status(**found, **_from_broker(settings, queues))


def _from_database(engine: Engine) -> tuple[dict[str, Any], set[str]]:
    """Return what the ledger holds, and the queues that have pending chunks."""
    check(engine)
    with reading(engine) as connection:
        queues = set(ledger.open_queues(connection))
        pending = progress.pending_by_queue(connection)
        return {
            "queued": pending.queued,
            "running": pending.running,
            "done_chunks": _count(connection, chunks.c.state == State.DONE),
            "scored_last_minute": progress.scored_recently(connection),
            "drain_seconds": progress.drain_seconds(connection, pending.total),
            "dead_letters": _count(connection, dead_letters.c.replayed_at.is_(None)),
            "failing_chunks": _count(connection, ledger.FAILING),
            "future_times": _count(connection, chunks.c.arrived_at.is_not(None)),
            "model": _current_model(connection),
            **_feed(connection),
        }, queues


def _feed(connection: Connection) -> dict[str, Any]:
    lag = feed_lag(connection)
    seconds = (database_now(connection) - lag.oldest).total_seconds() if lag.oldest else None
    failing = webhooks.c.failing_since.is_not(None) & webhooks.c.ended_at.is_(None)
    return {
        "feed_held_back": lag.events,
        "feed_lag_seconds": seconds,
        "failing_webhooks": _count(connection, failing),
    }


def _count(connection: Connection, condition: Any) -> int:
    return int(connection.execute(select(func.count()).where(condition)).scalar_one())


def _current_model(connection: Connection) -> str | None:
    query = (
        select(models.c.name, models.c.model_version)
        .where(models.c.activated_at.is_not(None))
        .order_by(models.c.activated_at.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return f"{row.name} ({row.model_version})" if row else None


def _from_broker(settings: Settings, queues: Set[str]) -> dict[str, Any]:
    """Return the messages of the usual queues and of models that rescore, and what is wrong."""
    usual = [queue.value for queue in Queue]
    found: dict[str, Any] = {}
    try:
        messages = count_messages(settings, [*usual, *sorted(queues - set(usual)), UNNAMED_QUEUE])
        found["misdirected"] = messages.pop(UNNAMED_QUEUE)
        found["messages"] = messages
        found["unacknowledged"] = count_unacknowledged(settings)
        probe_writing(settings)
    except BrokerUnavailable as error:
        found["broker_error"] = str(error)
    return found
