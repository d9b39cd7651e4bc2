"""Times that come from outside: with their zone, and of years that every database can write."""

from datetime import UTC, datetime, timedelta
from typing import Final

#: Times before it cannot be written in every zone, nor can a few minutes be taken from them.
EARLIEST: Final = datetime(2, 1, 1, tzinfo=UTC)
#: Clocks differ: a time may be this far ahead before it counts as one of the future.
FUTURE_TOLERANCE: Final = timedelta(minutes=5)


def utc_time(value: object) -> datetime:
    """Return a time, or its ISO 8601 text, in UTC.

    Raises ValueError for what has no zone, or cannot be written in UTC; its text says what may be
    given.
    """
    moment = value if isinstance(value, datetime) else _parsed(value)
    if moment.tzinfo is None:
        raise ValueError("must be an ISO 8601 time with its zone")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999, and the zone leads out of the calendar
        moment = datetime.min.replace(tzinfo=UTC)
    if moment < EARLIEST:
        raise ValueError("must be a time of the years 2 to 9999 in UTC")
    # pandas has a type of its own, with nanoseconds that no database keeps.
    return moment if type(moment) is datetime else datetime.combine(moment, moment.time(), UTC)


def _parsed(value: object) -> datetime:
    try:
        return datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("must be an ISO 8601 time with its zone") from None
