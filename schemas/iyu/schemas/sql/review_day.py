"""The day a review is counted under: decided here alone, in Python and in SQL.

Daily sums, their recount and every page that counts by the day ask this file.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

#: When it was written; where that is unknown, when its text came in.
_MOMENT: Final = "COALESCE({alias}.written_at, {alias}.submitted_at)"
_DAY: Final = {
    "sqlite": f"substr({_MOMENT}, 1, 10)",
    "postgresql": f"({_MOMENT} AT TIME ZONE 'UTC')::date",
}


def day_of(moment: datetime) -> date:
    """Return the day (UTC) of a review that was written, or else came in, at this moment."""
    return moment.astimezone(UTC).date()


def day_sql(dialect: str, alias: str) -> str:
    """Return the same in SQL, of a row of `reviews` (or of a view with its times)."""
    return _DAY[dialect].format(alias=alias)


def is_on_day(dialect: str, alias: str, day: date) -> str:
    """Return the condition that a row of `reviews` counts under a day; it can use an index."""
    zone = "+00" if dialect == "postgresql" else ".000000"
    begin, end = f"'{day} 00:00:00{zone}'", f"'{day + timedelta(1)} 00:00:00{zone}'"
    return is_between(alias, begin, end)


def is_between(alias: str, begin: str | None, end: str | None) -> str:
    """Return the condition that a review counts at or after one time and before another.

    begin, end: SQL, as `:since`; None leaves that side open, one of them is given. It can use an
    index.
    """

    def within(time: str) -> str:
        sides = (f"{time} >= {begin}" if begin else "", f"{time} < {end}" if end else "")
        return " AND ".join(side for side in sides if side)

    written = f"{alias}.written_at"
    submitted = within(f"{alias}.submitted_at")
    return f"(({within(written)}) OR ({written} IS NULL AND {submitted}))"
