"""Which days and sources are compared: the window, and the reference before it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from iyu.console.trust.drift.shuffled_days import MIN_REFERENCE_DAYS, MIN_WINDOW_DAYS
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import utc_now
from iyu.schemas.sql.review_day import day_of
from iyu.schemas.sql.tables import days_to_recount, review_days, reviews


@dataclass(frozen=True, slots=True)
class Side:
    """Days in UTC (since ≤ day < until) of one source, or of all sources together."""

    source: str | None
    since: date
    until: date

    def of(self, table: Table) -> ColumnElement[bool]:
        """Return the condition that a row of daily sums is of this side."""
        in_time = (table.c.day >= self.since) & (table.c.day < self.until)
        return in_time if self.source is None else in_time & (table.c.source == self.source)

    def of_reviews(self) -> ColumnElement[bool]:
        """Return the condition that a row of `reviews` counts under a day of this side."""
        begin, end = (datetime.combine(day, time(), UTC) for day in (self.since, self.until))
        written, submitted = reviews.c.written_at, reviews.c.submitted_at
        in_time = ((written >= begin) & (written < end)) | (
            written.is_(None) & (submitted >= begin) & (submitted < end)
        )
        return in_time if self.source is None else in_time & (reviews.c.source == self.source)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        days = {"since": self.since.isoformat(), "until": self.until.isoformat()}
        return {"source": self.source} | days

    def __str__(self) -> str:
        of = f" of {self.source}" if self.source else ""
        return f"{self.since} … {self.until - timedelta(1)}{of}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options say; None: found by what is stored."""

    days: int = 7
    reference: int = 28
    since: date | None = None
    until: date | None = None
    reference_since: date | None = None
    reference_until: date | None = None
    source: str | None = None
    reference_source: str | None = None


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared."""

    window: Side
    reference: Side


def find_sides(connection: Connection, model_version: str, wanted: Wanted) -> Sides:
    """Return the window and the reference. The window's last day is the last whole day with scores.

    Raises InputError where they overlap, or a day waits to be counted anew.
    """
    until = wanted.until or (
        wanted.since + timedelta(wanted.days)
        if wanted.since
        else _last_day(connection, model_version, wanted.source) + timedelta(1)
    )
    window = Side(wanted.source, wanted.since or until - timedelta(wanted.days), until)
    until = wanted.reference_until or (
        wanted.reference_since + timedelta(wanted.reference)
        if wanted.reference_since
        else window.since
    )
    since = wanted.reference_since or until - timedelta(wanted.reference)
    reference = Side(wanted.reference_source or wanted.source, since, until)
    sides = Sides(window, reference)
    _check(connection, sides)
    return sides


def require_days(sides: Sides, window: int, reference: int) -> None:
    """Raise InputError unless both sides have reviews on enough days."""
    for name, side, found, needed, option in (
        ("window", sides.window, window, MIN_WINDOW_DAYS, "--days"),
        ("reference", sides.reference, reference, MIN_REFERENCE_DAYS, "--reference"),
    ):
        if found < needed:
            raise InputError(
                f"the {name} ({side}) has scored reviews on {found} days and needs {needed}: "
                f"whole days are compared; give a larger {option}, or wait"
            )


def _check(connection: Connection, sides: Sides) -> None:
    window, reference = sides.window, sides.reference
    if window.since >= window.until or reference.since >= reference.until:
        raise InputError("a period ends before it begins; give --until a later day than --since")
    apart = window.until <= reference.since or reference.until <= window.since
    same = None in {window.source, reference.source} or window.source == reference.source
    if same and not apart:
        raise InputError(
            f"the window ({window}) and the reference ({reference}) share days; choose others"
        )
    day = days_to_recount.c.day
    stale = select(func.count()).where(
        ((day >= window.since) & (day < window.until))
        | ((day >= reference.since) & (day < reference.until))
    )
    if waiting := connection.execute(stale).scalar():
        raise InputError(f"{waiting} of these days wait to be counted anew; run: iyu db recount")


def _last_day(connection: Connection, model_version: str, source: str | None) -> date:
    d = review_days.c
    query = select(func.max(d.day)).where(
        d.model_version == model_version, d.reviews > 0, d.day < day_of(utc_now())
    )
    if source is not None:
        query = query.where(d.source == source)
    last: date | None = connection.execute(query).scalar()
    if last is None:
        of = f" of source {source!r}" if source else ""
        raise InputError(
            f"model {model_version} has scored no review{of} of a day before today; "
            "whole days are compared"
        )
    return last
