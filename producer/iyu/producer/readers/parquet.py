"""Parquet, a few thousand rows at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from iyu.producer.readers.columns import (
    Columns,
    Options,
    RawReview,
    RawRow,
    choose_columns,
    id_of_text,
    read_time,
)
from iyu.schemas.contract.errors import InputError

ROWS_AT_ONCE: Final = 4096


def read_parquet(file: Path, options: Options) -> Iterator[RawRow]:
    """Yield the rows.

    Raises InputError for a missing column, for a file that is broken anywhere, and where pyarrow
    is not installed.
    """
    pa, pq = _pyarrow(options)
    try:
        with pq.ParquetFile(file) as parquet:
            names = parquet.schema_arrow.names
            columns = choose_columns(names, options)
            named = (columns.key, columns.text, columns.time)
            wanted = [name for name in named if name is not None]
            number = 1
            for batch in parquet.iter_batches(batch_size=ROWS_AT_ONCE, columns=wanted):
                yield from _reviews(batch, columns, number, options)
                number += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        cause = str(error).splitlines()[0] if str(error) else "it ends too early"
        raise InputError(
            f"{options.name} is not a complete Parquet file ({cause}); write it again"
        ) from error


def _pyarrow(options: Options) -> tuple[Any, Any]:
    # 170 MB: an extra, for most producers read no Parquet.
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise InputError(
            f"{options.name} is Parquet, and pyarrow is not installed; "
            "run: pip install 'iyu[parquet]'"
        ) from None
    return pa, pq


def _reviews(batch: Any, columns: Columns, first: int, options: Options) -> Iterator[RawReview]:
    """Yield a batch's rows; first: the number of its first row, counted from 1."""
    pairs = _pairs(batch, columns)
    if columns.time is None:
        yield from pairs
        return
    times = _without_nanoseconds(batch.column(columns.time)).to_pylist()
    for number, ((key, text), time) in enumerate(zip(pairs, times, strict=True), start=first):
        yield key, text, read_time(time, f"row {number:,}", options)


def _pairs(batch: Any, columns: Columns) -> Iterator[tuple[object, object]]:
    texts = batch.column(columns.text).to_pylist()
    if columns.key is None:
        return ((id_of_text(text), text) for text in texts)
    return zip(map(_whole, batch.column(columns.key).to_pylist()), texts, strict=True)


def _without_nanoseconds(column: Any) -> Any:
    # Without pandas pyarrow refuses to make Python times of them.
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return column.cast(pa.timestamp("us", kind.tz), safe=False)
    return column


def _whole(key: object) -> object:
    # pandas turns a column of integers with a hole into floats.
    return int(key) if isinstance(key, float) and key.is_integer() else key
