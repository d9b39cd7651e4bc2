"""How things stand: what waits, what moves, what is dead, and what the broker holds."""

from collections.abc import Callable, Set
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select

from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.review import utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.chunks import OPEN, State
from iyu.schemas.sql.engine import check, connected, reading
from iyu.schemas.sql.tables import chunks, dead_letters, models

#: Seconds over which the rate is taken.
RATE_WINDOW: Final = 60


@dataclass(frozen=True, slots=True)
class Status:
    """One look at ledger and broker; of a side that does not answer only the error is known."""

    queued: dict[str, int] = field(default_factory=dict)  # reviews by queue
    running: int = 0
    done_chunks: int = 0
    scored_last_minute: int = 0
    drain_seconds: float | None = None  # None while nothing moves
    dead_letters: int = 0
    model: str | None = None
    messages: dict[str, int] = field(default_factory=dict)  # in the broker, by queue
    unacknowledged: int | None = None
    database_error: IyuError | None = None
    broker_error: str | None = None

    @property
    def pending(self) -> int:
        """Reviews that wait or are being scored."""
        return sum(self.queued.values()) + self.running

    def as_json(self) -> dict[str, Any]:
        """Return the status for a program."""
        told = asdict(self) | {"pending": self.pending}
        told["database_error"] = str(self.database_error) if self.database_error else None
        return told


def collect(settings: Settings, engine: Engine | None = None) -> Status:
    """Look at the ledger and at the broker; neither hides the other when it is down."""
    found: dict[str, Any] = {}
    queues: set[str] = set()
    try:
        with nullcontext(engine) if engine else connected(settings.database) as at:
            found, queues = _from_database(at)
    except IyuError as error:
        found["database_error"] = error
    return Status(**found, **_from_broker(settings.broker, queues))


def _from_database(engine: Engine) -> tuple[dict[str, Any], set[str]]:
    """Return what the ledger knows, and the queues that have open chunks."""
    check(engine)
    with reading(engine) as connection:
        queues = set(ledger.open_queues(connection))
        since = utc_now() - timedelta(seconds=RATE_WINDOW)
        scored = ledger.finished_since(connection, since)
        pending = ledger.pending(connection)
        told = {
            **_open_reviews(connection),
            "done_chunks": _count(connection, chunks.c.state == State.DONE),
            "scored_last_minute": scored,
            "drain_seconds": pending * RATE_WINDOW / scored if scored else None,
            "dead_letters": _count(connection, dead_letters.c.replayed_at.is_(None)),
            "model": _current_model(connection),
        }
    return told, queues


def _open_reviews(connection: Connection) -> dict[str, Any]:
    query = (
        select(chunks.c.queue, chunks.c.state, func.sum(chunks.c.review_count))
        .where(chunks.c.state.in_(OPEN))
        .group_by(chunks.c.queue, chunks.c.state)
    )
    queued: dict[str, int] = {}
    running = 0
    for queue, state, reviews in connection.execute(query):
        if state == State.RUNNING:
            running += int(reviews)
        else:
            queued[queue] = int(reviews)
    return {"queued": queued, "running": running}


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


def _from_broker(address: str, queues: Set[str]) -> dict[str, Any]:
    import redis

    if not address.startswith(("redis://", "rediss://", "unix://")):
        return {}
    try:
        with redis.Redis.from_url(address, socket_timeout=3, socket_connect_timeout=3) as client:
            return _lengths(client, queues)
    except (redis.RedisError, OSError, ValueError):
        return {"broker_error": "the broker does not answer; check that it runs"}


def _lengths(client: Any, queues: Set[str]) -> dict[str, Any]:
    """Return the messages of the usual queues, and of models that score stored reviews again."""
    asked: Callable[[str], int] = client.llen
    usual = [queue.value for queue in Queue]
    return {
        "messages": {name: asked(name) for name in (*usual, *sorted(queues - set(usual)))},
        "unacknowledged": client.hlen("unacked"),
    }
