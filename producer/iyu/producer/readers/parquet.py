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
            wanted = [name for name in (columns.key, columns.text) if name is not None]
            for batch in parquet.iter_batches(batch_size=ROWS_AT_ONCE, columns=wanted):
                yield from _pairs(batch, columns)
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


def _pairs(batch: Any, columns: Columns) -> Iterator[RawReview]:
    texts = batch.column(columns.text).to_pylist()
    if columns.key is None:
        return ((id_of_text(text), text) for text in texts)
    return zip(map(_whole, batch.column(columns.key).to_pylist()), texts, strict=True)


def _whole(key: object) -> object:
    # pandas turns a column of integers with a hole into floats.
    return int(key) if isinstance(key, float) and key.is_integer() else key
