"""Submit a file, wait for its scores, and say what became of it."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from iyu.console.operations.wait_for_batch import Outcome, wait_for
from iyu.console.terminal.progress_bar import teller
from iyu.producer import Producer, Receipt
from iyu.producer.readers.files import Rows
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.review import Rejection, utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.sql.engine import connected

#: Rejected reviews that are named on the terminal.
NAMED: Final = 10

#: Exit codes beside those of errors.
NOTHING_ACCEPTED: Final = 1
TIMED_OUT: Final = 5
DEAD_LETTERS: Final = 6


@dataclass(slots=True)
class Rejects:
    """The first rejected reviews, and all of them in a file if one is wanted."""

    writer: Any = None
    first: list[Rejection] = field(default_factory=list)

    def take(self, rejection: Rejection) -> None:
        """Note a rejection."""
        if len(self.first) < NAMED:
            self.first.append(rejection)
        if self.writer is not None:
            identifier = rejection.review_id.encode("utf-8", "replace").decode()
            self.writer.writerow((identifier, rejection.reason.value))


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a submission, and how fast."""

    source: str
    receipt: Receipt
    rejected: list[Rejection]
    outcome: Outcome | None  # None: nobody waited
    seconds: float  # from the first read to the last row, or to the last hand-over

    @property
    def exit_code(self) -> int:
        """0 if everything that was accepted was scored, as far as was waited for."""
        if not self.receipt.accepted:
            return NOTHING_ACCEPTED
        if self.outcome is None:
            return 0
        if not self.outcome.finished:
            return TIMED_OUT
        return DEAD_LETTERS if self.outcome.dead else 0

    @property
    def rate(self) -> float:
        """Reviews a second, over all."""
        done = self.outcome.scored if self.outcome else self.receipt.accepted
        return done / max(self.seconds, 1e-6)

    def as_json(self) -> dict[str, Any]:
        """Return the report for a program."""
        receipt, outcome = self.receipt, self.outcome
        found: dict[str, Any] = {
            "batch_id": receipt.batch_id,
            "source": self.source,
            "accepted": receipt.accepted,
            "repeated": receipt.repeated,
            "rejected": {reason.value: count for reason, count in receipt.rejected.items()},
            "first_rejected": [[r.review_id, r.reason.value] for r in self.rejected],
            "chunks": receipt.chunks,
            "unpublished": receipt.unpublished,
            "seconds": round(self.seconds, 3),
            "reviews_per_second": round(self.rate, 1),
        }
        if outcome is not None:
            found |= {
                "finished": outcome.finished,
                "scored": outcome.scored,
                "dead_letters": outcome.dead,
                "waiting": outcome.open,
            }
        return found


def submit_rows(
    rows: Rows,
    settings: Settings,
    *,
    source: str,
    queue: Queue,
    origin: str,
    rejects: Rejects,
    quiet: bool,
) -> Receipt:
    """Hand all rows over, telling how far it is. Raises what `Producer.submit_many` raises."""
    with teller("submitted", rows.total, quiet=quiet) as told:
        producer = Producer(settings, source=source, queue=queue, on_wait=told.waits)
        with producer:
            return producer.submit_many(
                told.over(rows),
                origin=origin,
                on_reject=rejects.take,
            )


def wait(settings: Settings, receipt: Receipt, timeout: float | None, *, quiet: bool) -> Outcome:
    """Wait for a batch, telling how far it is. Raises DatabaseUnavailable."""
    with (
        connected(settings.database) as engine,
        teller("scored", receipt.accepted, quiet=quiet) as told,
    ):
        try:
            return wait_for(engine, receipt.batch_id, timeout, lambda now: told.at(now.scored))
        except BaseException as error:  # Ctrl-C too
            receipt.note_on(error)
            raise


@contextmanager
def rejects_file(path: Path | None) -> Iterator[Rejects]:
    """Give where rejections are noted; with a path, every one stands there as CSV.

    Raises InputError where the file cannot be written.
    """
    if path is None:
        yield Rejects()
        return
    try:
        opened = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}; name another file"
        ) from error
    with opened:
        writer = csv.writer(opened)
        writer.writerow(("review_id", "reason"))
        yield Rejects(writer)


def seconds_since(began: Any, outcome: Outcome | None) -> float:
    """Return the seconds until the last row was committed, or until now."""
    end = outcome.last_row_at if outcome is not None and outcome.last_row_at else utc_now()
    return float((end - began).total_seconds())
