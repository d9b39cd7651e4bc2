"""What to do with each row of a page: hand it over, erase it here, or leave it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from iyu.console.ingest.known_rows import ERASED, Handled, Known
from iyu.producer.readers.database_table import TableRow
from iyu.producer.readers.row_changes import Changed, age
from iyu.schemas.contract.review import Rejection, Review, admit, text_hash
from iyu.schemas.contract.times import FUTURE_TOLERANCE

AdmittedRow = tuple[TableRow, Review | Rejection]


@dataclass(frozen=True, slots=True)
class Reading:
    """Where reading stands while a page is looked at."""

    #: The time of iyu's database, and right after it that of the other one in its own form.
    here: datetime
    there: Changed | None  # None: rows are numbered, without a time
    watermark: Changed | None  # the latest change that was read before


@dataclass(slots=True)
class Plan:
    """The rows of one page, sorted by what is to be done."""

    submit: list[Review] = field(default_factory=list)
    reject: list[Rejection] = field(default_factory=list)
    erase: list[str] = field(default_factory=list)
    #: What to remember once all of it is done.
    handled: dict[str, Handled] = field(default_factory=dict)


def admit_rows(rows: Sequence[TableRow]) -> list[AdmittedRow]:
    """Check each row by the entrance rules; a deleted one by its key alone."""
    return [(row, _admitted(row)) for row in rows]


def plan_page(rows: Sequence[AdmittedRow], known: Known, reading: Reading) -> Plan:
    """Sort the rows of a page."""
    plan = Plan()
    for row, found in rows:
        verdict = _without_future(found, reading.here)
        name = verdict.review_id or repr(row.key)
        outcome = _outcome(row, verdict)
        if isinstance(verdict, Rejection):
            last = known.last(name)
            if last is not None and last.outcome == outcome:
                continue
            plan.reject.append(verdict)
        elif row.is_deleted:
            if not known.has_review(name):
                continue
            plan.erase.append(name)
        elif _is_wanted(row, verdict, outcome, known, reading):
            plan.submit.append(verdict)
        else:
            continue
        written_at = verdict.written_at if isinstance(verdict, Review) else None
        plan.handled[name] = Handled(outcome, row.changed, known.stored.now, written_at)
    return plan


def _admitted(row: TableRow) -> Review | Rejection:
    if row.is_deleted:
        return admit(_as_id(row.key), "-")
    return admit(_as_id(row.key), row.text, row.written)


def _without_future(verdict: Review | Rejection, now: datetime) -> Review | Rejection:
    """Leave out a time that a worker would take for unknown, or it would be handed over again."""
    if isinstance(verdict, Rejection) or verdict.written_at is None:
        return verdict
    is_ahead = verdict.written_at - FUTURE_TOLERANCE > now
    return replace(verdict, written_at=None) if is_ahead else verdict


def _outcome(row: TableRow, verdict: Review | Rejection) -> str:
    if isinstance(verdict, Rejection):
        return verdict.reason.value
    return ERASED if row.is_deleted else text_hash(verdict.text)


def _is_wanted(row: TableRow, review: Review, digest: str, known: Known, reading: Reading) -> bool:
    last = known.last(review.review_id)
    if last is not None and last.outcome == ERASED:  # it was deleted, and is back
        return row.changed != last.changed
    erased_at = known.stored.erased_at.get(review.review_id)
    if erased_at is not None and not _changed_since(row, erased_at, reading):
        return False
    return not known.has_text(review, digest)


def _changed_since(row: TableRow, erased_at: datetime, reading: Reading) -> bool:
    """Whether a row changed after its review was forgotten."""
    ago = age(row.changed, reading.there) if reading.there is not None else None
    if ago is not None:
        return reading.here - ago > erased_at
    # A number or a day does not say: what was read before did not change since.
    return reading.watermark is not None and row.changed > reading.watermark  # type: ignore[operator]


def _as_id(key: object) -> object:
    """Return a key as a review id: a UUID or a decimal by its text, the others as they are."""
    return key if key is None or isinstance(key, int | str | float) else str(key)
