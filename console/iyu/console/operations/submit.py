"""Submit rows of reviews, wait for their scores, and report the outcome."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from iyu.console.exit_codes import DEAD_LETTERS, FAILED, TIMED_OUT
from iyu.console.operations.wait_for_batch import wait_for_batch
from iyu.console.terminal.output import open_to_write
from iyu.console.terminal.progress_bar import progress_bar
from iyu.producer import Producer, Receipt
from iyu.producer.readers.files import Rows
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.review import Rejection, utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger.progress import Outcome
from iyu.schemas.sql.engine import connected

#: Rejected reviews that are named on the terminal.
NAMED: Final = 10


@dataclass(slots=True)
class Rejects:
    """The first rejected reviews, and all of them in a file if one is wanted."""

    writer: Any = None
    first: list[Rejection] = field(default_factory=list)

    def add(self, rejection: Rejection) -> None:
        """Keep a rejection."""
        if len(self.first) < NAMED:
            self.first.append(rejection)
        if self.writer is not None:
            self.writer.writerow((_as_utf8(rejection.review_id), rejection.reason.value))


@dataclass(frozen=True, slots=True)
class SubmitReport:
    """The outcome of a submission, and how fast it went."""

    source: str
    receipt: Receipt
    rejected: list[Rejection]
    outcome: Outcome | None  # None: without --wait
    seconds: float  # from the first read to the last row, or to the last publish

    @property
    def exit_code(self) -> int:
        """0 if everything accepted was scored; without --wait, if anything was accepted."""
        if not self.receipt.accepted:
            return FAILED
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
            "first_rejected": [[_as_utf8(r.review_id), r.reason.value] for r in self.rejected],
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
                "waiting": outcome.pending,
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
    """Submit all rows, showing progress. Raises what `Producer.submit_many` raises."""
    with progress_bar("submitted", rows.total, quiet=quiet) as bar:
        producer = Producer(settings, source=source, queue=queue, on_wait=bar.show_backlog)
        with producer:
            return producer.submit_many(bar.count(rows), origin=origin, on_reject=rejects.add)


def wait_for_scores(
    settings: Settings, receipt: Receipt, timeout: float | None, *, quiet: bool
) -> Outcome:
    """Wait until a batch is scored, showing progress. Raises DatabaseUnavailable."""
    with (
        connected(settings.database) as engine,
        progress_bar("scored", receipt.accepted, quiet=quiet) as bar,
    ):
        try:
            return wait_for_batch(
                engine, receipt.batch_id, timeout, lambda outcome: bar.update(outcome.scored)
            )
        except BaseException as error:  # Ctrl-C too
            receipt.note_on(error)
            raise


@contextmanager
def rejects_file(path: Path | None) -> Iterator[Rejects]:
    """Give where rejections are kept; with a path, all of them are written there as CSV.

    Raises InputError where the file cannot be written.
    """
    if path is None:
        yield Rejects()
        return
    with open_to_write(path) as file:
        writer = csv.writer(file)
        writer.writerow(("review_id", "reason"))
        yield Rejects(writer)


def seconds_since(began: Any, outcome: Outcome | None) -> float:
    """Return the seconds until the last row was committed, or until now."""
    end = outcome.last_row_at if outcome is not None and outcome.last_row_at else utc_now()
    return float((end - began).total_seconds())


def _as_utf8(review_id: str) -> str:
    """Return an id that UTF-8 can hold, with `?` in place of lone surrogates."""
    return review_id.encode("utf-8", "replace").decode()
