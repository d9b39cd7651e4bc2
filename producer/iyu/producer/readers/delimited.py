"""CSV and TSV, quoted as pandas and spreadsheets write them."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from iyu.producer.readers.columns import (
    Options,
    RawReview,
    RawRow,
    choose_columns,
    id_of_text,
    malformed,
    read_time,
)
from iyu.schemas.contract.errors import InputError

#: Characters in one field: far above any review, far below a file that a lone quote swallows.
FIELD_LIMIT: Final = 1 << 20
DELIMITERS: Final = (",", "\t", ";", "|")


def read_delimited(
    first: str, rest: Iterator[str], delimiter: str | None, options: Options
) -> Iterator[RawRow]:
    """Yield the rows below the line of column names; a row of another width is malformed.

    Raises InputError for a missing column and for a quote that is never closed.
    """
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.reader(
        chain((first,), rest),
        delimiter=delimiter or _sniffed(first),
        quoting=csv.QUOTE_MINIMAL if options.quotes else csv.QUOTE_NONE,
        # Lenient parsing would glue the rows between two stray quotes into one, silently.
        strict=True,
    )
    header = _header(reader, options)
    columns = choose_columns(header, options)
    key, time = (
        header.index(column) if column is not None else None
        for column in (columns.key, columns.time)
    )
    places = _Places(len(header), key, header.index(columns.text), time)
    return _rows(reader, places, options)


@dataclass(frozen=True, slots=True)
class _Places:
    """How many columns there are, and which are read, counted from 0."""

    width: int
    key: int | None
    text: int
    time: int | None

    def review(self, row: list[str], line: int, options: Options) -> RawReview:
        text = row[self.text]
        key = row[self.key] if self.key is not None else id_of_text(text)
        if self.time is None:
            return key, text
        return key, text, read_time(row[self.time], f"line {line:,}", options)


def _sniffed(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _header(reader: Any, options: Options) -> list[str]:
    try:
        return [name.strip() for name in next(reader)]
    except csv.Error as error:
        raise InputError(
            f"the column names of {options.name} cannot be read ({error}); correct its first line"
        ) from None


def _rows(reader: Any, places: _Places, options: Options) -> Iterator[RawRow]:
    while True:
        before = reader.line_num
        try:
            for row in reader:
                line = options.skipped + before + 1
                if len(row) == places.width:
                    yield places.review(row, line, options)
                elif row:
                    yield malformed(line)
                before = reader.line_num
        except csv.Error as error:
            yield from _broken(str(error), before + 1, reader.line_num, options)
        else:
            return


def _broken(error: str, start: int, end: int, options: Options) -> Iterator[RawRow]:
    start, end = start + options.skipped, end + options.skipped
    if end > start and ("end of data" in error or "field limit" in error):
        raise InputError(
            f"a quote that opens in line {start:,} of {options.name} is never closed; close it, "
            "or give --no-quotes if quotes are plain characters in this file"
        )
    # The line after an error is read afresh, so only the lines of this row are lost.
    yield from map(malformed, range(start, end + 1))
