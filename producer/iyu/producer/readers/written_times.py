"""When a review was written, as files and tables of other systems state it."""

from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.times import utc_time

#: A day without a time counts as its noon in UTC: so it stays this day, whatever the zone.
_NOON = time(12)


class MissingZone(ValueError):
    """A time that states no zone, where none was given for such times."""


def read_zone(name: str | None) -> tzinfo | None:
    """Return the zone of times that state none. Raises InputError for a name nobody knows."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(
            f"there is no time zone {name!r}; give for example Asia/Seoul or UTC"
        ) from None


def read_written(value: object, zone: tzinfo | None) -> datetime | None:
    """Return when a review was written, in UTC; None for an empty cell.

    value: a time, a day, or the ISO 8601 text of either. zone: of times that state none.

    Raises ValueError for anything else; its text says what is wrong.
    """
    if value is None or value != value:  # noqa: PLR0124 - NaT: what pandas makes of an empty cell
        return None
    if isinstance(value, str):
        if not value.strip():
            return None
        value = _parsed(value.strip())
    if isinstance(value, datetime):
        if value.tzinfo is None and zone is None:
            raise MissingZone("states no time zone; give --time-zone, for example Asia/Seoul")
        return _in_utc(value if value.tzinfo else value.replace(tzinfo=zone))
    if isinstance(value, date):
        return _in_utc(datetime.combine(value, _NOON, UTC))
    raise ValueError("is no time; ISO 8601 is read, as 2024-05-01T12:30:00+09:00 or 2024-05-01")


def _parsed(text: str) -> object:
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return utc_time(moment)
    except ValueError:
        raise ValueError("is before year 2, or after year 9999") from None
