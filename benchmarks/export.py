"""Memory and time of `iyu export` by the number of reviews, and whether all is in the file.

    python -m benchmarks.export PATH [--reviews 100000,1000000] [--what reviews] [--json FILE]

A database of scored reviews with heatmaps, by chance and without a model; it grows by copies that
the database makes itself. Each export is a process of its own, whose peak is read from /proc. Then
the file is read back, row by row, and compared with the database.
"""

import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any

import pyarrow.parquet as pq
import typer
from sqlalchemy import Engine, text

from benchmarks._command import run
from benchmarks._report import finish, header, progress, table
from benchmarks._reviews import read_reviews
from benchmarks._scored_store import fill, invent_predictions
from benchmarks._services import DATABASES, database, scratch
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import connected, reading, writing
from tests.harness.services import child_environment

#: Reviews with their heatmaps that are stored as workers store them; the others are copies.
ORIGINALS = 10_000
COPIED = (tables.reviews, tables.predictions, tables.explanations)
_EXPORT = """
import re, sys
from pathlib import Path
from iyu.console.operations.export_rows import Chosen, What, export_rows
from iyu.schemas.sql.engine import connected
with connected(sys.argv[1]) as engine:
    rows = export_rows(engine, Path(sys.argv[2]), Chosen(What(sys.argv[3])))
print(rows, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""
#: What both sides are compared by.
_NAMES = ("source", "review_id", "text", "probability", "label", "method", "submitted_at")
_STORED = """
    SELECT s.source, s.review_id, s.text, s.probability, s.label, e.method, s.submitted_at
    FROM review_scores AS s
    JOIN explanations AS e ON e.source = s.source AND e.review_id = s.review_id
     AND e.model_version = s.model_version
"""


def main(
    path: Annotated[Path, typer.Argument(help="A file of real reviews (CSV, TSV, JSON Lines).")],
    reviews: Annotated[str, typer.Option(help="Comma-separated.")] = "100000,1000000",
    what: Annotated[str, typer.Option(help="reviews, tokens or words.")] = "reviews",
    databases: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(DATABASES),
    json: Annotated[Path | None, typer.Option(help="Write the figures here too.")] = None,
) -> None:
    """Measure and print."""
    result = header("Export", what=what)
    texts = read_reviews(path, 5_000)
    predictions = invent_predictions(texts)
    found: dict[str, list[dict[str, Any]]] = {}
    for kind in databases.split(","):
        with scratch() as folder, database(kind, folder) as address, connected(address) as engine:
            fill(engine, texts, predictions, reviews=ORIGINALS, days=30, by_both=0)
            copies, found[kind] = 0, []
            for number in map(int, reviews.split(",")):
                _copy(engine, copies + 1, number // ORIGINALS - 1)
                copies = number // ORIGINALS - 1
                progress.print(f"{kind}: {number:,} reviews are stored")
                found[kind].append(_measure(engine, address, folder / "export.parquet", what))
    result["found"] = found
    columns = ("database", "reviews", "rows", "peak MiB", "rows/s", "MB", "read back")
    rows = [
        (kind, f"{f['reviews']:,}", f"{f['rows']:,}", f"{f['peak_mib']:.0f}",
         f"{f['rows_per_second']:,.0f}", f"{f['bytes'] / 1e6:,.0f}", f["read_back"])
        for kind, figures in found.items() for f in figures
    ]  # fmt: skip
    table(f"iyu export FILE.parquet --what {what}", columns, rows)
    finish(result, json)


def _copy(engine: Engine, first: int, last: int) -> None:
    """Copy the originals under new ids, once for each number."""
    numbers = (
        f"WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
    )
    for a_table in COPIED if first <= last else ():
        names = [column.name for column in a_table.columns]
        copied = ", ".join(
            "t.review_id || '-' || n.i" if name == "review_id" else f't."{name}"' for name in names
        )
        columns = ", ".join(f'"{name}"' for name in names)
        with writing(engine) as connection:
            connection.execute(
                text(
                    f"INSERT INTO {a_table.name} ({columns}) {numbers} SELECT {copied} "
                    f"FROM n, {a_table.name} AS t WHERE t.review_id NOT LIKE '%-%'"
                )
            )
    with writing(engine) as connection:
        connection.execute(text("ANALYZE"))


def _measure(engine: Engine, address: str, file: Path, what: str) -> dict[str, Any]:
    command = [sys.executable, "-c", _EXPORT, address, str(file), what]
    begin = time.perf_counter()
    done = subprocess.run(
        command, env=child_environment(), capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - begin
    rows, kilobytes = map(int, done.stdout.split())
    with reading(engine) as connection:
        reviews = int(connection.execute(text("SELECT COUNT(*) FROM reviews")).scalar_one())
    size = file.stat().st_size
    read_back = "" if what != "reviews" else _compare(engine, file)
    file.unlink()
    return {
        "reviews": reviews,
        "rows": rows,
        "peak_mib": kilobytes / 1024,
        "rows_per_second": rows / seconds,
        "bytes": size,
        "read_back": read_back,
    }


def _compare(engine: Engine, file: Path) -> str:
    """Say whether file and database hold the same rows, whatever their order."""
    groups = pq.ParquetFile(file).iter_batches(10_000, columns=list(_NAMES))
    exported = _digest(
        [row[name] for name in _NAMES] for group in groups for row in group.to_pylist()
    )
    with reading(engine) as connection:
        streaming = connection.execution_options(yield_per=10_000)
        stored = _digest(list(row) for row in streaming.execute(text(_STORED)))
    return "equal" if exported == stored else "DIFFERENT"


def _digest(rows: Iterable[Sequence[Any]]) -> tuple[int, int]:
    """Return the number of rows and the sum of their hashes."""
    number = total = 0
    for *cells, moment in rows:
        at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        utc = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        line = repr((cells, utc.isoformat())).encode()
        total += int.from_bytes(blake2b(line, digest_size=8).digest())
        number += 1
    return number, total % 2**64


if __name__ == "__main__":
    run(main)
