"""Export reviews, tokens or words to a file; memory does not grow with them."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import Connection, CursorResult, Engine, bindparam, text

from iyu.console.operations.export_formats import choose_format
from iyu.schemas.contract.errors import InputError
from iyu.schemas.sql.engine import reading
from iyu.schemas.sql.review_day import is_between
from iyu.schemas.sql.tables import UtcDateTime
from iyu.schemas.sql.views import MIN_REVIEWS

#: Rows that are fetched, and written, at once.
ROWS_AT_ONCE: Final = 5_000


class What(StrEnum):
    """What one row of the file is."""

    REVIEWS = "reviews"
    TOKENS = "tokens"  # with the heat of each
    WORDS = "words"  # summed over the reviews


class By(StrEnum):
    """Which time of a review is compared."""

    WRITTEN = "written"  # where that is unknown: submitted
    SUBMITTED = "submitted"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which reviews are exported."""

    what: What = What.REVIEWS
    sources: Sequence[str] = ()  # none: all
    since: datetime | None = None  # then or later
    until: datetime | None = None  # before
    by: By = By.WRITTEN


_WHERE: Final = "WHERE (:all_sources = 1 OR {alias}.source IN :sources)\n"
_QUERIES: Final = {
    What.REVIEWS: """
SELECT r.source, r.review_id, r.text, r.submitted_at, r.probability, r.label, r.model,
       r.model_version, e.method, e.comprehensiveness, e.sufficiency, r.written_at
FROM review_scores AS r
LEFT JOIN explanations AS e
  ON e.source = r.source AND e.review_id = r.review_id AND e.model_version = r.model_version
 AND COALESCE(e.text_hash = r.text_hash, FALSE)
""",
    What.TOKENS: """
SELECT t.source, t.review_id, t.submitted_at, t.model_version, t.method, t.position, t.surface,
       t.pos, t.start, t."end", t.heat, t.is_function, t.probability, t.label, t.written_at
FROM token_heat AS t
""",
    What.WORDS: """
SELECT t.source, t.model_version, t.method, t.surface, t.pos,
       COUNT(DISTINCT t.review_id) AS reviews, COUNT(*) AS occurrences,
       SUM(t.heat) AS heat, AVG(t.heat) AS mean_heat
FROM token_heat AS t
""",
}
_ENDS: Final = {
    What.REVIEWS: "",
    What.TOKENS: "",
    What.WORDS: f"""
  AND t.heat IS NOT NULL AND t.pos NOT LIKE '%SN%' AND t.surface NOT LIKE '%@%'
GROUP BY t.source, t.model_version, t.method, t.surface, t.pos
HAVING COUNT(DISTINCT t.review_id) >= COALESCE((SELECT min_reviews FROM privacy), {MIN_REVIEWS})
ORDER BY t.source, occurrences DESC, t.surface, t.pos
""",
}


def export_rows(
    engine: Engine,
    path: Path,
    chosen: Chosen,
    *,
    excel: bool = False,
    on_progress: Callable[[int], None] = lambda _rows: None,
) -> int:
    """Write the rows to a file named .csv, .jsonl or .parquet, and return how many.

    The file has its name only once it is whole. excel: a CSV that spreadsheets open readably, and
    in which no cell is a formula.

    Raises InputError where the file cannot be written, DatabaseUnavailable.
    """
    open_writer = choose_format(path, excel=excel)
    done = 0
    with (
        reading(engine) as connection,
        _select(connection, chosen) as result,
        _whole_file(path) as file,
    ):
        writer = open_writer(file, list(result.keys()))
        for part in result.partitions():
            writer.write(part)
            done += len(part)
            on_progress(done)
        writer.close()
    return done


def _select(connection: Connection, chosen: Chosen) -> CursorResult[Any]:
    alias = "r" if chosen.what is What.REVIEWS else "t"
    query = _QUERIES[chosen.what] + _WHERE.format(alias=alias)
    query += _in_period(chosen, alias) + _ENDS[chosen.what]
    times = {"since": chosen.since, "until": chosen.until}
    given = [bindparam(name, at, UtcDateTime()) for name, at in times.items() if at]
    statement = text(query).bindparams(bindparam("sources", expanding=True), *given)
    values = {
        "all_sources": int(not chosen.sources),
        "sources": list(chosen.sources) or [""],
    }
    streaming = connection.execution_options(yield_per=ROWS_AT_ONCE)
    if chosen.what is What.WORDS:
        return streaming.execute(statement, values)
    typed = statement.columns(submitted_at=UtcDateTime(), written_at=UtcDateTime())
    return streaming.execute(typed, values)


def _in_period(chosen: Chosen, alias: str) -> str:
    """Return the condition on the time, nothing where none is given."""
    since, until = (":since" if chosen.since else None, ":until" if chosen.until else None)
    if chosen.by is By.WRITTEN and (since or until):
        return f"  AND {is_between(alias, since, until)}\n"
    begins = f"  AND {alias}.submitted_at >= {since}\n" if since else ""
    return begins + (f"  AND {alias}.submitted_at < {until}\n" if until else "")


@contextmanager
def _whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Give a file under another name beside it, renamed at the end and deleted on an error."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        file = part.open("wb")
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}; name another file"
        ) from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:  # Ctrl-C too
        with suppress(OSError):
            part.unlink()
        raise
