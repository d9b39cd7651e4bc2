"""Deltas into the daily figures of words: summed, added and deleted in one transaction.

So each counts exactly once, whichever worker adds it and whenever one dies.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import repeat
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy import Connection, Engine, delete, select

from iyu.schemas.contract.morpheme_tags import is_counted
from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.keyword_days import SUMS
from iyu.schemas.sql.tables import keyword_days, keyword_deltas, keyword_totals
from iyu.schemas.sql.upsert import upsert

#: Deltas in one transaction: enough that words repeat, few enough to hold no lock for long.
DELTAS_AT_ONCE: Final = 64

Day = tuple[str, str, str]  # model_version, method, day
Sums = dict[Day, tuple[list[str], Any]]  # of each day its words, and their sums: (words, SUMS)


def add_deltas(engine: Engine, ids: Sequence[int]) -> bool:
    """Add deltas to `keyword_days`; False if another worker has added one of them.

    Raises DatabaseUnavailable: nothing was written.
    """
    with reading(engine) as connection:
        found = connection.scalars(
            select(keyword_deltas.c.payload).where(keyword_deltas.c.id.in_(ids))
        ).all()
    if len(found) != len(ids):
        return False
    sums = _sum(found)
    with writing(engine) as connection:
        deleted = connection.execute(delete(keyword_deltas).where(keyword_deltas.c.id.in_(ids)))
        if deleted.rowcount != len(ids):
            connection.rollback()
            return False
        _add(connection, sums)
        _add_totals(connection, sums)
    return True


def add_all_deltas(engine: Engine, at_once: int = DELTAS_AT_ONCE) -> int:
    """Add every delta there is; return how many.

    Raises DatabaseUnavailable: what is left waits for the next time.
    """
    added = 0
    while True:
        with reading(engine) as connection:
            query = select(keyword_deltas.c.id).order_by(keyword_deltas.c.id).limit(at_once)
            ids = connection.scalars(query).all()
        if not ids or not add_deltas(engine, ids):
            return added
        added += len(ids)


def _sum(payloads: Iterable[bytes]) -> Sums:
    """Sum the deltas; days and words sorted, so that two workers at once cannot deadlock."""
    numbers: dict[Day, dict[str, int]] = {}
    parts: dict[Day, list[tuple[Any, Any]]] = {}
    for payload in payloads:
        for version, method, day, label, sign, words, *columns in orjson.loads(payload):
            key = version, method, day
            known = numbers.setdefault(key, {})
            where = [known.setdefault(word, len(known)) for word in words.split("\n")]
            values = sign * np.array(columns, np.float64)
            part = np.array(where, np.int64), np.concatenate([values, label * values])
            parts.setdefault(key, []).append(part)
    return {key: _day(numbers[key], parts[key]) for key in sorted(numbers)}


def _day(numbers: dict[str, int], parts: list[tuple[Any, Any]]) -> tuple[list[str], Any]:
    rows = np.concatenate([where for where, _ in parts])
    values = np.concatenate([columns for _, columns in parts], axis=1)
    sums = np.stack([np.bincount(rows, column, len(numbers)) for column in values], axis=1)
    # A worker of an older version may have written words that count no more: not `is_counted`.
    words = sorted(word for word in numbers if is_counted(word.partition("\t")[2]))
    return words, sums[[numbers[word] for word in words]]


def _add(connection: Connection, sums: Sums) -> None:
    for (version, method, day), (words, figures) in sums.items():
        if not words:
            continue
        columns: dict[str, Any] = {"model_version": version, "method": method}
        columns |= {"day": list(repeat(day, len(words)))} | _word_columns(words)
        for name, column in zip(SUMS, figures.T, strict=True):
            whole = not name.endswith("heat")
            columns[name] = (column.astype(np.int64) if whole else column).tolist()
        upsert(connection, keyword_days, columns, adding=SUMS)
        if (figures[:, 0] <= 0).any():
            _delete_empty(connection, version, method, day)


def _add_totals(connection: Connection, sums: Sums) -> None:
    """Add the reviews of all days; after them, and sorted too: every worker locks in one order."""
    totals: dict[tuple[str, str], Counter[str]] = {}
    for (version, method, _), (words, figures) in sums.items():
        of_word = totals.setdefault((version, method), Counter())
        of_word.update(dict(zip(words, figures[:, 0].astype(np.int64).tolist(), strict=True)))
    for (version, method), of_word in totals.items():
        columns: dict[str, Any] = {"model_version": version, "method": method}
        columns |= _word_columns(words := sorted(of_word))
        columns |= {"reviews": [of_word[word] for word in words]}
        upsert(connection, keyword_totals, columns, adding=("reviews",))
        if min(of_word.values(), default=1) <= 0:
            t = keyword_totals.c
            empty = (t.model_version == version, t.method == method, t.reviews == 0)
            connection.execute(delete(keyword_totals).where(*empty))


def _word_columns(words: Sequence[str]) -> dict[str, Any]:
    parts = [word.partition("\t") for word in words]
    return {"surface": [part[0] for part in parts], "pos": [part[2] for part in parts]}


def _delete_empty(connection: Connection, version: str, method: str, day: str) -> None:
    # A row below zero stays: what it lacks is in a delta that is yet to be added.
    table = keyword_days.c
    connection.execute(
        delete(keyword_days).where(
            table.model_version == version,
            table.method == method,
            table.day == date.fromisoformat(day),
            table.reviews == 0,
            table.occurrences == 0,
        )
    )
