"""The fields of a message, each checked where it enters: what passes here every database takes."""

import re
import uuid
from datetime import UTC, datetime
from typing import Final

from iyu.schemas.contract.errors import MessageError
from iyu.schemas.contract.review import has_surrogate

MAX_SOURCE_LENGTH: Final = 100
#: Times before it cannot be written in every zone, nor can a few minutes be taken from them.
EARLIEST: Final = datetime(2, 1, 1, tzinfo=UTC)
#: `uuid.UUID` takes more: underscores, blanks, digits of any script.
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-"
                          r"[0-9A-Fa-f]{12}|[0-9A-Fa-f]{32}")  # fmt: skip


def is_source(value: object) -> bool:
    """Whether a value can name where reviews come from."""
    return (
        isinstance(value, str)
        and 1 <= len(value) <= MAX_SOURCE_LENGTH
        and bool(value.strip())
        and "\0" not in value
        and not has_surrogate(value)
    )


def read_source(value: object) -> str:
    """Return where the reviews come from. Raises MessageError."""
    if isinstance(value, str) and is_source(value):
        return value
    raise MessageError(
        f"source must be a text of 1 to {MAX_SOURCE_LENGTH} characters, not blank, without NUL "
        "and lone surrogates"
    )


def is_uuid(value: object) -> bool:
    """Whether a value is a UUID as text, with hyphens or without."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def read_uuid(value: object, name: str) -> str:
    """Return a UUID as it is stored: lower case, with hyphens. Raises MessageError."""
    if isinstance(value, str) and is_uuid(value):
        return str(uuid.UUID(value))
    raise MessageError(f"{name} must be a UUID as text")


def read_time(value: object) -> datetime:
    """Return a time in UTC. Raises MessageError for one that cannot be written there."""
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise MessageError("submitted_at must be an ISO 8601 time with its zone") from None
    if moment.tzinfo is None:
        raise MessageError("submitted_at must be an ISO 8601 time with its zone")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999, and the zone leads out of the calendar
        moment = datetime.min.replace(tzinfo=UTC)
    if moment < EARLIEST:
        raise MessageError("submitted_at must be a time of the years 2 to 9999 in UTC")
    return moment
