"""Wait until a batch is scored, by asking the ledger."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select

from iyu.schemas.ledger.chunks import OPEN, State
from iyu.schemas.sql.engine import reading
from iyu.schemas.sql.tables import chunks, dead_letters

#: Seconds between two looks.
LOOK_EVERY: Final = 0.2


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a batch is."""

    scored: int
    dead: int
    open: int  # reviews that wait or are being scored
    last_row_at: datetime | None

    @property
    def finished(self) -> bool:
        """Whether nothing of the batch is left to do."""
        return self.open == 0


def wait_for(
    engine: Engine,
    batch_id: str,
    timeout: float | None,
    on_look: Callable[[Outcome], None] = lambda _outcome: None,
) -> Outcome:
    """Return the outcome once the batch is finished, or what there is after `timeout` seconds.

    Raises DatabaseUnavailable.
    """
    deadline = monotonic() + timeout if timeout is not None else float("inf")
    pause = threading.Event()
    while True:
        with reading(engine) as connection:
            outcome = look(connection, batch_id)
        on_look(outcome)
        if outcome.finished or monotonic() >= deadline:
            return outcome
        pause.wait(min(LOOK_EVERY, max(deadline - monotonic(), 0)))


def look(connection: Connection, batch_id: str) -> Outcome:
    """Return how far a batch is, chunks that were split from its chunks included."""
    states = {row.state: row for row in _states(connection, batch_id)}

    def reviews(*wanted: State) -> int:
        return sum(states[state].reviews for state in wanted if state in states)

    dead = _dead_in_done_chunks(connection, batch_id)
    done = states.get(State.DONE)
    return Outcome(
        scored=reviews(State.DONE) - dead,
        dead=reviews(State.DEAD) + dead,
        open=reviews(*OPEN),
        last_row_at=done.last if done else None,
    )


def _states(connection: Connection, batch_id: str) -> list[Any]:
    query = (
        select(
            chunks.c.state,
            func.sum(chunks.c.review_count).label("reviews"),
            func.max(chunks.c.finished_at).label("last"),
        )
        .where(chunks.c.batch_id == batch_id)
        .group_by(chunks.c.state)
    )
    return list(connection.execute(query).all())


def _dead_in_done_chunks(connection: Connection, batch_id: str) -> int:
    query = (
        select(func.count())
        .select_from(dead_letters.join(chunks, dead_letters.c.chunk_id == chunks.c.chunk_id))
        .where(dead_letters.c.batch_id == batch_id, chunks.c.state == State.DONE)
        .where(dead_letters.c.replayed_at.is_(None))
    )
    return int(connection.execute(query).scalar_one())
