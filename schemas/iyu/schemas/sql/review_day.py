"""The day a review is counted under: decided here alone, in Python and in SQL.

Daily sums, their recount and every page that counts by the day ask this file.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

_MOMENT: Final = "{alias}.submitted_at"
_DAY: Final = {
    "sqlite": f"substr({_MOMENT}, 1, 10)",
    "postgresql": f"({_MOMENT} AT TIME ZONE 'UTC')::date",
}


def day_of(moment: datetime) -> date:
    """Return the day (UTC) of a review whose text came in at this moment."""
    return moment.astimezone(UTC).date()


def day_sql(dialect: str, alias: str) -> str:
    """Return the same in SQL, of a row of `reviews` (or of a view with its times)."""
    return _DAY[dialect].format(alias=alias)


def is_on_day(dialect: str, alias: str, day: date) -> str:
    """Return the condition that a row of `reviews` counts under a day; it can use an index."""
    zone = "+00" if dialect == "postgresql" else ".000000"
    begin, end = f"{day} 00:00:00{zone}", f"{day + timedelta(1)} 00:00:00{zone}"
    moment = _MOMENT.format(alias=alias)
    return f"({moment} >= '{begin}' AND {moment} < '{end}')"
