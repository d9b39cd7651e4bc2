"""Labels into the database: those of reviews that are stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final

from sqlalchemy import Connection, Engine, select

from iyu.console.trust.label_file import GivenLabel
from iyu.schemas.erasure.lock import lock_for_storing
from iyu.schemas.sql.clock import database_now
from iyu.schemas.sql.engine import writing
from iyu.schemas.sql.tables import labels, reviews
from iyu.schemas.sql.upsert import upsert

#: Labels in one transaction.
PART: Final = 1_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file's labels."""

    stored: int
    unknown: int  # of reviews that are not stored here: a label must not outlive its review


def import_labels(engine: Engine, given: Iterable[GivenLabel]) -> Imported:
    """Store labels beside the present text of their reviews; an earlier label is replaced.

    Raises DatabaseUnavailable: what was stored stays stored, and the same call may be repeated.
    """
    stored = unknown = 0
    ordered = sorted(given, key=attrgetter("source", "review_id"))
    for source, group in groupby(ordered, key=attrgetter("source")):
        whole = list(group)
        for start in range(0, len(whole), PART):
            part = whole[start : start + PART]
            with writing(engine) as connection:
                count = _store(connection, source, part)
            stored, unknown = stored + count, unknown + len(part) - count
    return Imported(stored, unknown)


def _store(connection: Connection, source: str, part: Sequence[GivenLabel]) -> int:
    lock_for_storing(connection, source)  # no review is erased until its label is stored
    r = reviews.c
    ids = [label.review_id for label in part]
    query = select(r.review_id, r.text_hash).where(r.source == source, r.review_id.in_(ids))
    hashes = {row.review_id: row.text_hash for row in connection.execute(query)}
    there = [label for label in part if label.review_id in hashes]
    upsert(
        connection,
        labels,
        {
            "source": source,
            "review_id": [label.review_id for label in there],
            "label": [label.label for label in there],
            "text_hash": [hashes[label.review_id] for label in there],
            "imported_at": database_now(connection),
        },
    )
    return len(there)
