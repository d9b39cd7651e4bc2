"""Wait until a batch is scored, by reading the ledger."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

from sqlalchemy import Engine

from iyu.schemas.ledger.progress import Outcome, batch_outcome
from iyu.schemas.sql.engine import reading

#: Seconds between two reads of the ledger.
READ_EVERY: Final = 0.2


def wait_for_batch(
    engine: Engine,
    batch_id: str,
    timeout: float | None,
    on_progress: Callable[[Outcome], None] = lambda _outcome: None,
) -> Outcome:
    """Return the outcome once the batch is finished, or as it is after `timeout` seconds.

    Raises DatabaseUnavailable.
    """
    deadline = monotonic() + timeout if timeout is not None else float("inf")
    pause = threading.Event()
    while True:
        with reading(engine) as connection:
            outcome = batch_outcome(connection, batch_id)
        on_progress(outcome)
        if outcome.finished or monotonic() >= deadline:
            return outcome
        pause.wait(min(READ_EVERY, max(deadline - monotonic(), 0)))
