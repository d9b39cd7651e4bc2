"""When a row changed: times and counters of other databases, as they stand there.

A time may be aware, without its zone, a day, or, in SQLite, a text. It is compared in the form in
which the database holds it, so that an index on the column serves.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from iyu.schemas.contract.errors import InputError

Changed = datetime | date | int | str

#: The least number that databases hold.
_LEAST: Final = -(2**63)
_PREFIXES: Final = {datetime: "time", date: "day", int: "number", str: "text"}


def encode(changed: Changed) -> str:
    """Return it as text, with its type."""
    text = changed.isoformat() if isinstance(changed, date) else str(changed)
    return f"{_PREFIXES[type(changed)]} {text}"


def decode(text: str) -> Changed:
    """Read what `encode` wrote."""
    prefix, _, value = text.partition(" ")
    if prefix == "time":
        return datetime.fromisoformat(value)
    if prefix == "day":
        return date.fromisoformat(value)
    return int(value) if prefix == "number" else value


def go_back(changed: Changed, overlap: timedelta) -> Changed | None:
    """Return what stands `overlap` earlier, None before all time; of a number seconds are taken.

    Raises InputError for a text that is no time.
    """
    try:
        return _gone_back(changed, overlap)
    except OverflowError:
        return None


def _gone_back(changed: Changed, overlap: timedelta) -> Changed:
    if isinstance(changed, str):
        return _in_form_of(changed, _parsed(changed) - overlap)
    if isinstance(changed, int):
        return max(changed - int(overlap.total_seconds()), _LEAST)
    if isinstance(changed, datetime):
        return changed - overlap
    return changed - timedelta(days=overlap.days + 1)


def now_like(like: Changed) -> Changed | None:
    """Return the present time in the form of another; None for a number."""
    if isinstance(like, int):
        return None
    if isinstance(like, str):
        parsed = _parsed(like)
        return _in_form_of(like, datetime.now(parsed.tzinfo or UTC).replace(tzinfo=parsed.tzinfo))
    if isinstance(like, datetime):
        return datetime.now(like.tzinfo or UTC).replace(tzinfo=like.tzinfo)
    return datetime.now(UTC).date()


def age(changed: Changed, now: Changed) -> timedelta | None:
    """Return how long before `now` a row changed; None where it does not say a time."""
    if isinstance(changed, str) and isinstance(now, str):
        return _parsed(now) - _parsed(changed)
    if isinstance(changed, datetime) and isinstance(now, datetime):
        return now - changed
    return None


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{text[:40]!r} is no time in ISO 8601, and --changed takes no other text"
        ) from None


def _in_form_of(like: str, moment: datetime) -> str:
    """Write a time with the separator and the precision of another text."""
    if len(like) <= len("2026-05-01"):
        return moment.date().isoformat()
    separator = like[10]
    fraction = "milliseconds" if len(like) == 23 else "microseconds" if "." in like else "seconds"
    text = moment.isoformat(sep=separator, timespec=fraction)
    return text.removesuffix("+00:00") + "Z" if like.endswith("Z") else text
