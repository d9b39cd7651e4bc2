"""A store of scored reviews in a folder: made by the first run, taken by every other one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from sqlalchemy import Engine, text

from benchmarks._scored_store import OTHER, SERVING, Filled
from benchmarks._services import kept_database
from iyu.console.analysis.model_comparison import compare
from iyu.console.analysis.stored_comparison import Words, changed_words, store_comparison
from iyu.console.analysis.stored_heat import HeatFilter
from iyu.schemas.sql.engine import connected, reading, writing


@dataclass(frozen=True, slots=True)
class Store:
    """Where it is, what is in it, and the bytes of PostgreSQL's log that it took."""

    address: str
    filled: Filled
    log_bytes_a_review: float


@contextmanager
def kept_store(
    kind: str, folder: Path, reviews: int, make: Callable[[Engine], Filled]
) -> Iterator[Store]:
    """Give the store in a folder; `make` fills it where there is none yet."""
    note = folder / "filled.json"
    with kept_database(kind, folder) as address, connected(address) as engine:
        if not note.exists():
            before = log_bytes(engine)
            filled = make(engine)
            log = (log_bytes(engine) - before) / reviews
            compare_models(engine)
            facts = {"begin": filled.begin, "end": filled.end, "reviews": reviews, "log": log}
            note.write_bytes(orjson.dumps(facts))
        found = orjson.loads(note.read_bytes())
        begin, end = (datetime.fromisoformat(found[name]) for name in ("begin", "end"))
        analyze(engine)
        yield Store(address, Filled(found["reviews"], begin, end), found["log"])


def compare_models(engine: Engine) -> None:
    """Compare the two models for the page, as `iyu models compare` does."""
    with reading(engine) as connection:
        found = compare(connection, OTHER, SERVING)
    words = changed_words(engine, (OTHER, SERVING), HeatFilter("gradcam"), 10_000, 20)
    store_comparison(engine, found, Words("gradcam", words), None)


def analyze(engine: Engine) -> None:
    """Let the planner know the tables, as PostgreSQL's own vacuum does within a minute."""
    with writing(engine) as connection:
        connection.execute(text("ANALYZE"))


def log_bytes(engine: Engine) -> float:
    """Return how much PostgreSQL has written to its log so far; 0 for SQLite."""
    if engine.dialect.name == "sqlite":
        return 0.0
    with reading(engine) as connection:
        query = text("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        return float(connection.execute(query).scalar_one())
