"""The fields of a message, each checked where it enters: what passes here every database takes."""

import re
import uuid
from datetime import datetime
from typing import Final

from iyu.schemas.contract.errors import MessageError
from iyu.schemas.contract.review import has_surrogate
from iyu.schemas.contract.times import utc_time

MAX_SOURCE_LENGTH: Final = 100
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


def read_time(value: object, name: str = "submitted_at") -> datetime:
    """Return the time that a text states, in UTC. Raises MessageError for any other value."""
    try:
        return utc_time(value if isinstance(value, str) else None)
    except ValueError as error:
        raise MessageError(f"{name} {error}") from None
