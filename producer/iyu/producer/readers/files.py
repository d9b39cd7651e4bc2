"""Reviews from a file or standard input: CSV, TSV, JSON Lines, Parquet, text also as gzip."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Final

from iyu.producer.readers.columns import Options, RawRow
from iyu.producer.readers.delimited import read_delimited
from iyu.producer.readers.jsonlines import read_json_lines
from iyu.producer.readers.parquet import read_parquet
from iyu.producer.readers.text_files import STDIN, check_file, is_parquet, is_stream, open_lines
from iyu.producer.readers.written_times import read_zone
from iyu.schemas.contract.errors import InputError


class Format(StrEnum):
    """How the reviews are written."""

    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    PARQUET = "parquet"


_BY_ENDING: Final = {
    ".csv": Format.CSV,
    ".tsv": Format.TSV,
    ".tab": Format.TSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSONL,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
}


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to be read once, and their number where it is known."""

    total: int | None
    _open: Callable[[], Iterator[RawRow]]

    def __iter__(self) -> Iterator[RawRow]:
        """Read the rows, a block at a time."""
        return self._open()


def read_rows(
    path: str | Path,
    text_column: str | None = None,
    id_column: str | None = None,
    *,
    format: Format | None = None,  # noqa: A002 - the command's own word
    encoding: str = "utf-8",
    quotes: bool = True,
    time_column: str | None = None,
    time_zone: str | None = None,
) -> Rows:
    """Read raw reviews as (review_id, text); memory does not grow with the file.

    With a time_column as (review_id, text, written_at). time_zone: of times that state none.

    Columns not named are found by their usual names. Without an id column the id is made of the
    text (`columns.id_of_text`). A row that cannot be read becomes a Rejection, and reading goes on.
    A file is read through once before its first row is given: an error in its last line leaves
    nothing half accepted. Standard input (`-`) and named pipes can only be read as they come.

    Raises InputError where the file, a column, the encoding or the format is not as named, and
    for a time that cannot be read.
    """
    options = Options(
        "standard input" if str(path) == STDIN else str(path),
        text_column,
        id_column,
        time_column,
        read_zone(time_zone),
        quotes,
    )
    if is_stream(str(path)):
        return _from_stream(str(path), format, encoding, options)
    file = check_file(str(path))
    kind = format or _by_name(file)

    def rows() -> Iterator[RawRow]:
        if kind is Format.PARQUET:
            return read_parquet(file, options)
        return _text_rows(str(file), kind, encoding, options)

    return Rows(_count(rows(), options), rows)


def _from_stream(path: str, kind: Format | None, encoding: str, options: Options) -> Rows:
    if kind is Format.PARQUET:
        raise InputError(f"Parquet is read from its end: give a file instead of {options.name}")
    rows = _text_rows(path, kind, encoding, options)
    first = next(rows, None)  # a wrong column or encoding fails before anything is accepted
    read = () if first is None else (first,)
    return Rows(None, lambda: chain(read, rows))


def _by_name(file: Path) -> Format | None:
    endings = [ending for ending in map(str.lower, file.suffixes) if ending != ".gz"]
    if is_parquet(file):
        return Format.PARQUET
    return _BY_ENDING.get(endings[-1]) if endings else None


def _count(rows: Iterable[RawRow], options: Options) -> int:
    total = sum(1 for _ in rows)
    if total == 0:
        raise InputError(f"{options.name} holds column names and no review; check the file")
    return total


def _text_rows(path: str, kind: Format | None, encoding: str, options: Options) -> Iterator[RawRow]:
    with open_lines(path, encoding) as lines:
        skipped, first = _first_line(lines, options)
        options = replace(options, skipped=skipped)
        if kind is Format.JSONL or (kind is None and first.lstrip()[:1] in {"{", "["}):
            yield from read_json_lines(first, lines, options)
        else:
            delimiter = "\t" if kind is Format.TSV else None
            yield from read_delimited(first, lines, delimiter, options)


def _first_line(lines: Iterator[str], options: Options) -> tuple[int, str]:
    for skipped, line in enumerate(lines):
        if line.strip():
            return skipped, line
    raise InputError(f"{options.name} is empty; it needs a line of column names and then reviews")
