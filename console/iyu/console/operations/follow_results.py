"""Read the results feed for a consumer: hand lines over, then move its cursor."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from iyu.schemas.results import Cursor, Filter, Result, end_of_feed, read_batch, with_heat
from iyu.schemas.results.consumers import move_consumer, read_consumer
from iyu.schemas.sql.engine import reading, writing

#: Seconds between two looks while the feed holds nothing new.
FOLLOW_EVERY: Final = 0.5

Deliver = Callable[[Sequence[Result]], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """What to read, and where to begin."""

    wanted: Filter
    after: Cursor | None = None  # None: where the consumer stands; a new one begins at 0
    consumer: str | None = None
    follow: bool = False
    heat: bool = False


def follow_results(engine: Engine, what: Reading, deliver: Deliver) -> Cursor:
    """Hand batches over in order, and return the cursor behind the last one.

    A consumer's cursor moves after `deliver` has returned: what is handed over twice after a crash
    has the same event_id.

    Raises CursorError, ConsumerBusy, DatabaseUnavailable, and what `deliver` raises.
    """
    stored = _stored(engine, what.consumer)
    after = what.after or stored or Cursor.parse("0")
    pause = threading.Event()
    while True:
        with reading(engine) as connection:
            batch = read_batch(connection, after, what.wanted)
            results = with_heat(connection, batch.results) if what.heat else batch.results
        if results:
            deliver(results)
        if what.consumer is not None and batch.after != stored:
            with writing(engine) as connection:
                move_consumer(connection, what.consumer, stored, batch.after)
            stored = batch.after
        after = batch.after
        if batch.is_last:
            if not what.follow:
                return after
            pause.wait(FOLLOW_EVERY)


def present_end(engine: Engine) -> Cursor:
    """Return the cursor behind everything that can be read now."""
    with reading(engine) as connection:
        return end_of_feed(connection)


def _stored(engine: Engine, consumer: str | None) -> Cursor | None:
    if consumer is None:
        return None
    with reading(engine) as connection:
        return read_consumer(connection, consumer)
