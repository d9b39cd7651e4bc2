"""What an address asks for: parsed once, and written into links the same way."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from iyu.console.web.queries.reviews import Key
from iyu.schemas.contract.errors import InputError

#: Characters of one value; longer ones are no search, and cost the database.
MAX_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class Filters:
    """Every parameter that a page may have; None is one that is not given."""

    source: str | None = None
    since: date | None = None
    until: date | None = None  # included
    text: str | None = None
    word: str | None = None
    pos: str | None = None
    label: str | None = None  # positive or negative
    low: float | None = None  # least and greatest probability of positive, in percent
    high: float | None = None
    method: str | None = None
    order: str | None = None  # of words: mean; else by total heat
    id: str | None = None
    a: str | None = None  # model versions
    b: str | None = None
    heat: str | None = None  # off hides it
    after: Key | None = None

    @property
    def hides_heat(self) -> bool:
        """Whether reviews are shown without their heat."""
        return self.heat == "off"

    def but(self, **changes: Any) -> "Filters":
        """Return the same with other values; a page further on is left unless it is given."""
        return replace(self, **({"after": None} | changes))

    def query(self) -> str:
        """Return the query string with its question mark, or nothing."""
        given = {f.name: _written(getattr(self, f.name)) for f in fields(self)}
        encoded = urlencode({name: value for name, value in given.items() if value is not None})
        return f"?{encoded}" if encoded else ""


def parse_filters(parameters: Mapping[str, str]) -> Filters:
    """Return the filters of a query string; what is unknown is left out.

    Raises InputError in one line.
    """
    given = {name: value.strip() for name, value in parameters.items() if value.strip()}
    for name, value in given.items():
        if len(value) > MAX_LENGTH:
            raise InputError(f"{name} is longer than {MAX_LENGTH} characters; give a shorter one")
        if "\0" in value or not _is_encodable(value):
            raise InputError(f"{name} holds a character that no database stores; take it out")
    known = {f.name for f in fields(Filters)} & set(given)
    return Filters(**{name: _parse(name, given[name]) for name in known})


def _parse(name: str, value: str) -> Any:
    if name in {"since", "until"}:
        return _day(name, value)
    if name in {"low", "high"}:
        return _percent(name, value)
    if name == "after":
        return _key(value)
    if name in _CHOICES and value not in _CHOICES[name]:
        raise InputError(f"{name}={value!r} is unknown; choose of: {', '.join(_CHOICES[name])}")
    return value


_CHOICES: Final = {
    "label": ("positive", "negative"),
    "order": ("total", "mean"),
    "heat": ("on", "off"),
}


def _day(name: str, value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise InputError(f"{name}={value!r} is no day; write it like 2026-11-24") from None


def _percent(name: str, value: str) -> float:
    try:
        percent = float(value)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise InputError(f"{name}={value!r} is no percentage; give a number from 0 to 100")
    return percent


def _key(value: str) -> Key:
    try:
        moment, source, review_id = orjson.loads(urlsafe_b64decode(value.encode()))
        return Key(datetime.fromisoformat(moment), str(source), str(review_id))
    except (ValueError, TypeError, binascii.Error):
        raise InputError("this page's address is broken; begin at the first page") from None


def _written(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Key):
        parts = [value.submitted_at.isoformat(), value.source, value.review_id]
        return urlsafe_b64encode(orjson.dumps(parts)).decode()
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
