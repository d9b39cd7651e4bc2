"""The state of the system: pending reviews, rate, dead letters, and messages in the broker."""

from collections.abc import Set
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from iyu.schemas.broker.redis_contents import count_messages, count_unacknowledged, probe_writing
from iyu.schemas.contract.errors import BrokerUnavailable, IyuError
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger import progress
from iyu.schemas.ledger.chunks import State
from iyu.schemas.sql.engine import check, connected, reading
from iyu.schemas.sql.tables import chunks, dead_letters, models


@dataclass(frozen=True, slots=True)
class Status:
    """Ledger and broker at one moment; of a side that does not answer only the error is known."""

    queued: dict[str, int] = field(default_factory=dict)  # reviews by queue
    running: int = 0
    done_chunks: int = 0
    scored_last_minute: int = 0
    drain_seconds: float | None = None  # None while no worker finishes any
    dead_letters: int = 0
    model: str | None = None
    messages: dict[str, int] = field(default_factory=dict)  # in the broker, by queue
    unacknowledged: int | None = None
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
            "model": _current_model(connection),
        }, queues


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
        found["messages"] = count_messages(settings, [*usual, *sorted(queues - set(usual))])
        found["unacknowledged"] = count_unacknowledged(settings)
        probe_writing(settings)
    except BrokerUnavailable as error:
        found["broker_error"] = str(error)
    return found
