"""JSON Lines: one object a line."""

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

import orjson

from iyu.producer.readers.columns import (
    Columns,
    Options,
    RawRow,
    choose_columns,
    id_of_text,
    malformed,
    read_time,
)
from iyu.schemas.contract.errors import InputError

#: Objects to read before a column counts as missing: objects need not have every key.
OBJECTS_TO_READ: Final = 100
_ARRAY = re.compile(r"\s*\[\s*(\{|$)")
_Line = tuple[int, object]  # its number, what it holds


def read_json_lines(first: str, rest: Iterator[str], options: Options) -> Iterator[RawRow]:
    """Yield the rows; a line that is not a JSON object is malformed, a missing key gives None.

    Raises InputError for a JSON array, and where no object has the columns.
    """
    if _ARRAY.match(first):
        raise InputError(
            f"{options.name} is one JSON array; iyu reads one object a line: "
            "jq -c '.[]' FILE | iyu submit -"
        )
    objects = _parsed(chain((first,), rest), options.skipped)
    seen: list[_Line] = []
    columns = _columns(objects, seen, options)
    return _rows(chain(seen, objects), columns, options)


def _parsed(lines: Iterator[str], skipped: int) -> Iterator[_Line]:
    for number, line in enumerate(lines, start=skipped + 1):
        if line.strip():
            yield number, _value(line)


def _value(line: str) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return _lenient(line)


def _lenient(line: str) -> object:
    # The standard library accepts NaN and lone surrogates: the entrance rules reject them with a
    # more exact reason than "malformed".
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _columns(objects: Iterator[_Line], seen: list[_Line], options: Options) -> Columns:
    """Choose the columns from as few objects as it takes: a slow pipe is not kept waiting."""
    keys: dict[str, None] = {}
    for line in objects:
        seen.append(line)
        if isinstance(line[1], dict):
            keys.update(dict.fromkeys(line[1]))
            try:
                return choose_columns(tuple(keys), options)
            except InputError:
                if len(seen) >= OBJECTS_TO_READ:
                    raise
    if not keys:
        raise InputError(f"no line of {options.name} is a JSON object; give --format if it is CSV")
    return choose_columns(tuple(keys), options)


def _rows(lines: Iterator[_Line], columns: Columns, options: Options) -> Iterator[RawRow]:
    for number, value in lines:
        if isinstance(value, dict):
            yield _review(value, columns, number, options)
        else:
            yield malformed(number)


def _review(value: dict[str, Any], columns: Columns, number: int, options: Options) -> RawRow:
    text = value.get(columns.text)
    key = value.get(columns.key) if columns.key is not None else id_of_text(text)
    if columns.time is None:
        return key, text
    return key, text, read_time(value.get(columns.time), f"line {number:,}", options)
