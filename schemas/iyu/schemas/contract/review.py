"""A review, and the one place that decides which reviews are admitted."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from iyu.schemas.contract.times import utc_time

MAX_ID_LENGTH: Final = 200
MAX_TEXT_LENGTH: Final = 10_000
_FIRST_LONG_ID: Final = 10**MAX_ID_LENGTH


class Reason(StrEnum):
    """Why a review was rejected, or became a dead letter."""

    EMPTY = "empty"
    TOO_LONG = "too-long"
    NOT_TEXT = "not-text"
    NUL = "nul-character"
    SURROGATE = "lone-surrogate"
    MISSING_ID = "missing-id"
    BAD_ID = "bad-id"
    DUPLICATE_ID = "duplicate-id"
    MALFORMED_ROW = "malformed-row"
    TOO_LARGE = "too-large"
    BAD_TIME = "bad-time"
    BAD_MESSAGE = "bad-message"
    CHUNK_ID_REUSED = "chunk-id-reused"
    SCORING_FAILED = "scoring-failed"
    STORE_FAILED = "store-failed"
    KILLED_WORKER = "killed-worker"
    UNFORESEEN = "unforeseen-error"


@dataclass(frozen=True, slots=True)
class Review:
    """An admitted review.

    text is trimmed and NFC: it is what is stored, and what every offset refers to.
    """

    review_id: str  # 1 … 200 characters, unique within its source
    text: str  # 1 … 10,000 characters
    written_at: datetime | None = None  # aware, UTC; None: unknown


@dataclass(frozen=True, slots=True)
class Rejection:
    """A review that was rejected, and why."""

    review_id: str  # as far as it could be read; "" if not at all
    reason: Reason


def admit(review_id: object, text: object, written_at: object = None) -> Review | Rejection:
    """Return the review, or why it is rejected.

    A number as id is taken as its decimal text; NaN and None count as missing. written_at: a time
    with its zone, or its ISO 8601 text.
    """
    key = _as_id(review_id)
    if isinstance(key, Reason):
        return Rejection("", key)
    clean = _as_text(text)
    if isinstance(clean, Reason):
        return Rejection(key, clean)
    moment = None if written_at is None else _as_time(written_at)
    if isinstance(moment, Reason):
        return Rejection(key, moment)
    return Review(key, clean, moment)


def text_hash(text: str) -> str:
    """Return 16 hexadecimal digits that identify a stored text (BLAKE2b, 64 bits)."""
    return blake2b(text.encode(), digest_size=8).hexdigest()


def utc_now() -> datetime:
    """Return the present time, aware, in UTC."""
    return datetime.now(UTC)


def _as_id(value: object) -> str | Reason:
    if isinstance(value, int) and not isinstance(value, bool):
        # Python writes no integer of thousands of digits.
        value = str(value) if abs(value) < _FIRST_LONG_ID else "0" * (MAX_ID_LENGTH + 1)
    if value is None or value != value:  # noqa: PLR0124 - NaN is the value unequal to itself
        return Reason.MISSING_ID
    if not isinstance(value, str):
        return Reason.BAD_ID
    key = value.strip()
    if not key:
        return Reason.MISSING_ID
    if len(key) > MAX_ID_LENGTH or "\0" in key or has_surrogate(key):
        return Reason.BAD_ID
    return key


def _as_text(value: object) -> str | Reason:
    if value is None or value != value:  # noqa: PLR0124 - NaN: what pandas makes of an empty cell
        return Reason.EMPTY
    if not isinstance(value, str):
        return Reason.NOT_TEXT
    if "\0" in value:
        return Reason.NUL
    if has_surrogate(value):
        return Reason.SURROGATE
    text = unicodedata.normalize("NFC", value.strip())
    if not text:
        return Reason.EMPTY
    if len(text) > MAX_TEXT_LENGTH:
        return Reason.TOO_LONG
    return text


def _as_time(value: object) -> datetime | Reason | None:
    if value != value:  # noqa: PLR0124 - NaT and NaN: what pandas makes of an empty cell
        return None
    try:
        return utc_time(value)
    except ValueError:
        return Reason.BAD_TIME


def has_surrogate(text: str) -> bool:
    """Whether a text holds half a character, which no database can store."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
