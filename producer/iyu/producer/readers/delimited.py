"""CSV and TSV, quoted as pandas and spreadsheets write them."""

import csv
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from iyu.producer.readers.columns import (
    Options,
    RawRow,
    choose_columns,
    id_of_text,
    malformed,
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
    key = header.index(columns.key) if columns.key is not None else None
    return _rows(reader, len(header), key, header.index(columns.text), options)


def _sniffed(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _header(reader: Any, options: Options) -> list[str]:
    try:
        return [name.strip() for name in next(reader)]
    except csv.Error as error:
        raise InputError(
            f"the column names of {options.name} cannot be read ({error}); correct its first line"
        ) from None


def _rows(
    reader: Any, width: int, key: int | None, text: int, options: Options
) -> Iterator[RawRow]:
    while True:
        before = reader.line_num
        try:
            for row in reader:
                if len(row) == width:
                    yield (row[key] if key is not None else id_of_text(row[text])), row[text]
                elif row:
                    yield malformed(options.skipped + before + 1)
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
