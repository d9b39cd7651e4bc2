"""The formats of an export: CSV, JSON Lines, Parquet."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final, Protocol

import orjson

from iyu.schemas.contract.errors import InputError

#: A cell that begins with one of these is a formula to a spreadsheet.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_JSON_OPTIONS: Final = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
#: Columns by type; the others are text.
_WHOLE: Final = {"label", "position", "start", "end", "is_function", "reviews", "occurrences"}
_REAL: Final = {"probability", "comprehensiveness", "sufficiency", "heat", "mean_heat"}


class Writer(Protocol):
    """Writes rows in one format."""

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what is left."""


def choose_format(path: Path, *, excel: bool) -> Callable[[IO[bytes], list[str]], Writer]:
    """Return what opens a writer for a file and its column names, chosen by the file's name.

    Raises InputError for another name, and where pyarrow is missing.
    """
    ending = path.suffix.lower()
    if excel and ending != ".csv":
        raise InputError("--excel goes with a file named .csv")
    if ending == ".csv":
        return lambda file, names: _Csv(file, names, excel=excel)
    if ending in {".jsonl", ".ndjson"}:
        return _JsonLines
    if ending == ".parquet":
        _require_pyarrow()
        return _Parquet
    raise InputError(f"{path} must end in .csv, .jsonl or .parquet")


class _Csv:
    def __init__(self, file: IO[bytes], names: list[str], *, excel: bool) -> None:
        self._file = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        if excel:
            self._file.write("\ufeff")
        self._cell = _harmless if excel else _plain
        # RFC 4180, and what spreadsheets write: lines end in CR LF.
        self._writer = csv.writer(self._file, lineterminator="\r\n" if excel else "\n")
        self._writer.writerow(names)

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        cell = self._cell
        self._writer.writerows([cell(value) for value in row] for row in rows)

    def close(self) -> None:
        self._file.flush()
        self._file.detach()


class _JsonLines:
    def __init__(self, file: IO[bytes], names: list[str]) -> None:
        self._file = file
        self._names = names

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        names = self._names
        self._file.writelines(
            orjson.dumps(dict(zip(names, row, strict=True)), default=_json, option=_JSON_OPTIONS)
            for row in rows
        )

    def close(self) -> None:
        """Leave the file to whoever opened it."""


class _Parquet:
    """Row groups of as many rows as are written at once."""

    def __init__(self, file: IO[bytes], names: list[str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._pa = pa
        self._schema = pa.schema([(name, _arrow_type(pa, name)) for name in names])
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        columns = [
            self._pa.array(list(map(_number, values)), type=field.type)
            for field, values in zip(self._schema, zip(*rows, strict=True), strict=True)
        ]
        self._writer.write_table(self._pa.Table.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def _arrow_type(pa: Any, name: str) -> Any:
    if name in {"submitted_at", "written_at"}:
        return pa.timestamp("us", tz="UTC")
    if name in _WHOLE:
        return pa.int64()
    return pa.float64() if name in _REAL else pa.string()


def _require_pyarrow() -> None:
    if find_spec("pyarrow") is None:
        raise InputError("Parquet needs pyarrow; run: pip install 'iyu[parquet]'")


def _number(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def _json(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _harmless(value: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would take for a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return _plain(value)
