"""The words of many deltas: summed, and added to `keyword_days` and `keyword_totals`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import repeat
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete

from iyu.schemas.contract.morpheme_tags import is_counted
from iyu.schemas.sql.keyword_days import SUMS
from iyu.schemas.sql.tables import keyword_days, keyword_totals
from iyu.schemas.sql.upsert import upsert

Day = tuple[str, str, str, str]  # model_version, method, day, source
WordSums = dict[Day, tuple[list[str], Any]]  # of each day its words, and their sums: (words, SUMS)


def sum_words(groups: Iterable[list[Any]]) -> WordSums:
    """Sum groups as `Tally` writes them; days and words are sorted."""
    numbers: dict[Day, dict[str, int]] = {}
    parts: dict[Day, list[tuple[Any, Any]]] = {}
    for source, version, method, day, label, sign, words, *columns in groups:
        key = version, method, day, source
        known = numbers.setdefault(key, {})
        where = [known.setdefault(word, len(known)) for word in words.split("\n")]
        *plain, squared = sign * np.array(columns, np.float64)
        values = np.stack([*plain, *(label * column for column in plain), squared])
        parts.setdefault(key, []).append((np.array(where, np.int64), values))
    return {key: _day(numbers[key], parts[key]) for key in sorted(numbers)}


def add_words(connection: Connection, sums: WordSums) -> None:
    """Add to `keyword_days`."""
    for (version, method, day, source), (words, figures) in sums.items():
        if not words:
            continue
        columns: dict[str, Any] = {"model_version": version, "method": method, "source": source}
        columns |= {"day": list(repeat(day, len(words)))} | _word_columns(words)
        for name, column in zip(SUMS, figures.T, strict=True):
            whole = "heat" not in name
            columns[name] = (column.astype(np.int64) if whole else column).tolist()
        upsert(connection, keyword_days, columns, adding=SUMS)
        if (figures[:, 0] <= 0).any():
            _delete_empty(connection, version, method, day, source)


def add_totals(connection: Connection, sums: WordSums) -> None:
    """Add the reviews of all days; after them, and sorted too: every worker locks in one order."""
    totals: dict[tuple[str, str], Counter[str]] = {}
    for (version, method, _, _), (words, figures) in sums.items():
        of_word = totals.setdefault((version, method), Counter())
        for word, reviews in zip(words, figures[:, 0].astype(np.int64).tolist(), strict=True):
            of_word[word] += reviews
    for (version, method), of_word in totals.items():
        columns: dict[str, Any] = {"model_version": version, "method": method}
        columns |= _word_columns(words := sorted(of_word))
        columns |= {"reviews": [of_word[word] for word in words]}
        upsert(connection, keyword_totals, columns, adding=("reviews",))
        if min(of_word.values(), default=1) <= 0:
            t = keyword_totals.c
            empty = (t.model_version == version, t.method == method, t.reviews == 0)
            connection.execute(delete(keyword_totals).where(*empty))


def _day(numbers: dict[str, int], parts: list[tuple[Any, Any]]) -> tuple[list[str], Any]:
    rows = np.concatenate([where for where, _ in parts])
    values = np.concatenate([columns for _, columns in parts], axis=1)
    sums = np.stack([np.bincount(rows, column, len(numbers)) for column in values], axis=1)
    # A worker of an older version may have written words that count no more: not `is_counted`.
    words = sorted(word for word in numbers if is_counted(word.partition("\t")[2]))
    return words, sums[[numbers[word] for word in words]]


def _word_columns(words: Sequence[str]) -> dict[str, Any]:
    parts = [word.partition("\t") for word in words]
    return {"surface": [part[0] for part in parts], "pos": [part[2] for part in parts]}


def _delete_empty(connection: Connection, version: str, method: str, day: str, source: str) -> None:
    # A row below zero stays: what it lacks is in a delta that is yet to be added.
    table = keyword_days.c
    connection.execute(
        delete(keyword_days).where(
            table.model_version == version,
            table.method == method,
            table.day == date.fromisoformat(day),
            table.source == source,
            table.reviews == 0,
            table.occurrences == 0,
        )
    )
