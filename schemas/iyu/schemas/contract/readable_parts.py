"""What can be read of a broken message: whose reviews it holds, so that they can be erased."""

import json
from collections.abc import Iterator
from typing import Any, Final

from iyu.schemas.contract.message_fields import is_source, is_uuid
from iyu.schemas.contract.review import Rejection, admit

#: Values of a message that are looked at: a thousand reviews with a few fields each.
_MAX_VALUES: Final = 50_000
#: Levels of lists and objects that are looked at.
_MAX_DEPTH: Final = 8
_NAMED: Final = "named"
_ID_NAMES: Final = ("review_id", "id")


def show_message(parts: dict[str, Any]) -> str:
    """Return a broken message as text, whose reviews it holds first: its end may be cut off."""
    named: dict[str, Any] = _read_names(parts)
    if ids := list(dict.fromkeys(_ids(parts))):
        named["review_ids"] = ids
    return json.dumps(({_NAMED: named} if named else {}) | parts, ensure_ascii=False)


def shown_names(raw: str) -> dict[str, str]:
    """Return the source and batch_id that stand first in what `show_message` gave, if any."""
    prefix = f'{{"{_NAMED}": '
    if not raw.startswith(prefix):
        return {}
    try:
        named, _ = json.JSONDecoder().raw_decode(raw, len(prefix))
    except (ValueError, RecursionError):  # cut off within a thousand long ids, or not ours
        return {}
    return _read_names(named)


def _read_names(parts: object) -> dict[str, str]:
    """Return source and batch_id, each if a database can take it."""
    found: dict[str, str] = {}
    for name, value in _named(parts):
        if name == "source" and is_source(value):
            found.setdefault(name, str(value))
        elif name == "batch_id" and is_uuid(value):
            found.setdefault(name, str(value).lower())
    return found


def _ids(parts: object) -> Iterator[str]:
    for value in _values(parts):
        candidates: list[object] = []
        if isinstance(value, dict):
            candidates = [value[name] for name in _ID_NAMES if name in value]
        elif isinstance(value, list) and len(value) == 2:
            candidates = value[:1]
        for candidate in candidates:
            if not isinstance(verdict := admit(candidate, "-"), Rejection):
                yield verdict.review_id


def _named(parts: object) -> Iterator[tuple[str, object]]:
    for value in _values(parts):
        if isinstance(value, dict):
            yield from value.items()


def _values(whole: object) -> Iterator[object]:
    """Yield every list and object inside, from the outside in."""
    level, seen = [whole], 0
    for _ in range(_MAX_DEPTH):
        inner: list[object] = []
        for value in level:
            yield value
            parts = list(value.values()) if isinstance(value, dict) else value
            if isinstance(parts, list):
                inner += [part for part in parts if isinstance(part, list | dict)]
            seen += 1
            if seen > _MAX_VALUES:
                return
        level = inner
