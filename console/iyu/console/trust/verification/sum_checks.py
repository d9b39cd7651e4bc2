"""The daily sums of words and reviews, beside the rows that they sum."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from random import SystemRandom
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Connection, select, text

from iyu.console.trust.verification.findings import Findings, Kind
from iyu.console.trust.verification.scope import Scope
from iyu.schemas.sql import keyword_days as words
from iyu.schemas.sql import review_days as counts
from iyu.schemas.sql.review_day import is_on_day
from iyu.schemas.sql.tables import (
    day_deltas,
    days_to_recount,
    keyword_days,
    keyword_deltas,
    review_days,
)
from iyu.worker.rows.add_reviews import sum_reviews
from iyu.worker.rows.add_words import sum_words

#: How far sums of fractions may be apart, for each thing that was summed: they were added in
#: another order.
TOLERANCE: Final = 1e-6

_TOTALS: Final = """
SELECT model_version, method, surface, pos, SUM(days) AS days, SUM(totals) AS totals
FROM (
    SELECT model_version, method, surface, pos, reviews AS days, 0 AS totals FROM keyword_days
    UNION ALL
    SELECT model_version, method, surface, pos, 0, reviews FROM keyword_totals
) AS both_tables
GROUP BY model_version, method, surface, pos
HAVING SUM(days) <> SUM(totals)
"""
#: Of each model and method on a day: scores of present texts, and how many have their heatmap.
_HEATMAPS: Final = """
SELECT s.model_version, m.method, s.scores,
       (SELECT COUNT(*) FROM reviews AS r
        JOIN explanations AS e
          ON e.source = r.source AND e.review_id = r.review_id AND e.text_hash = r.text_hash
        WHERE e.model_version = s.model_version AND e.method = m.method AND {on_day}) AS heatmaps
FROM (
    SELECT p.model_version, COUNT(*) AS scores
    FROM reviews AS r
    JOIN predictions AS p
      ON p.source = r.source AND p.review_id = r.review_id AND p.text_hash = r.text_hash
    WHERE {on_day}
    GROUP BY p.model_version
) AS s
JOIN (SELECT DISTINCT model_version, method FROM keyword_days WHERE day = :day) AS m
  ON m.model_version = s.model_version
"""
Key = tuple[str, ...]
Sums = dict[Key, NDArray[np.float64]]
_WORD: Final = ("model_version", "method", "surface", "pos", "source")
_COUNT: Final = ("source", "model_version")


def check_totals(connection: Connection, findings: Findings) -> None:
    """Add the words whose reviews over all days are not the sum of their days."""
    for row in connection.execute(text(_TOTALS)).mappings():
        example = {name: int(row[name]) for name in ("days", "totals")}
        findings.add(Kind.WORD_TOTALS, **(dict(row) | example))


def draw_days(connection: Connection, scope: Scope, count: int | None) -> Sequence[date]:
    """Return some of the scope's days that have sums, drawn at random; all of them if None.

    Days that wait to be counted anew, after an older worker wrote to them, are left out.
    """
    day = review_days.c.day
    query = select(day).distinct()
    if scope.since is not None:
        query = query.where(day >= scope.since.date())
    if scope.until is not None:
        query = query.where(day <= scope.until.date())
    stale = set(connection.scalars(select(days_to_recount.c.day)))
    for payload in connection.scalars(select(keyword_deltas.c.payload)):
        stale |= {date.fromisoformat(group[2]) for group in orjson.loads(payload)}
    days = [day for day in connection.scalars(query.order_by(day)) if day not in stale]
    if count is None or count >= len(days):
        return days
    return sorted(SystemRandom().sample(days, count))


def check_day(connection: Connection, day: date, findings: Findings) -> None:
    """Add what the sums of a day have otherwise than the rows of its reviews.

    Words are compared where every score of a model has its heatmap: `iyu db prune` deletes
    heatmaps, and their words stay in the sums.
    """
    dialect = connection.dialect.name
    on_day = is_on_day(dialect, "r", day)
    parts = [orjson.loads(p) for p in connection.scalars(select(day_deltas.c.payload))]
    found = _read(connection, keyword_days, _WORD, words.SUMS, day)
    _add(found, _waiting_words(parts, day), len(words.SUMS))
    expected = _computed(connection, words.from_explanations(dialect, on_day), _WORD, words.SUMS)
    whole = _with_all_heatmaps(connection, day, on_day)
    found, expected = (
        {key: row for key, row in sums.items() if key[:2] in whole} for sums in (found, expected)
    )
    _compare(day, words.SUMS, found, expected, Kind.DAY_SUMS, findings)
    found = _read(connection, review_days, _COUNT, counts.SUMS, day)
    _add(found, _waiting_counts(parts, day), len(counts.SUMS))
    query = counts.from_predictions(dialect, on_day)
    expected = _computed(connection, query, _COUNT, counts.SUMS)
    _compare(day, counts.SUMS, found, expected, Kind.REVIEW_SUMS, findings)


def _read(
    connection: Connection, table: Any, key: Sequence[str], sums: Sequence[str], day: date
) -> Sums:
    return _sums(connection.execute(select(table).where(table.c.day == day)).mappings(), key, sums)


def _computed(connection: Connection, query: str, key: Sequence[str], sums: Sequence[str]) -> Sums:
    return _sums(connection.execute(text(query)).mappings(), key, sums)


def _sums(rows: Iterable[Mapping[Any, Any]], key: Sequence[str], sums: Sequence[str]) -> Sums:
    return {
        tuple(row[name] for name in key): np.array([float(row[name]) for name in sums])
        for row in rows
    }


def _waiting_words(parts: Sequence[Any], day: date) -> Iterable[tuple[Key, Any]]:
    """Yield what waits to be added to the words of a day."""
    summed = sum_words(group for part in parts for group in part["words"])
    for (version, method, of_day, source), (found, figures) in summed.items():
        if of_day == day.isoformat():
            for word, row in zip(found, figures, strict=True):
                yield (version, method, *word.split("\t"), source), row


def _waiting_counts(parts: Sequence[Any], day: date) -> Iterable[tuple[Key, Any]]:
    """Yield what waits to be added to the reviews of a day."""
    summed = sum_reviews(row for part in parts for row in part["reviews"])
    for (source, of_day, version), figures in summed.items():
        if of_day == day.isoformat():
            yield (source, version), np.array(figures, np.float64)


def _add(sums: Sums, waiting: Iterable[tuple[Key, Any]], width: int) -> None:
    for key, row in waiting:
        sums[key] = sums.get(key, np.zeros(width)) + row


def _with_all_heatmaps(connection: Connection, day: date, on_day: str) -> set[Key]:
    value = day.isoformat() if connection.dialect.name == "sqlite" else day
    rows = connection.execute(text(_HEATMAPS.format(on_day=on_day)), {"day": value})
    return {(row.model_version, row.method) for row in rows if row.scores == row.heatmaps}


def _compare(
    day: date,
    names: Sequence[str],
    found: Sums,
    expected: Sums,
    kind: Kind,
    findings: Findings,
) -> None:
    nothing = np.zeros(len(names))
    fractions = np.array(["heat" in name or "probability" in name for name in names])
    for key in sorted(expected.keys() | found.keys()):
        ours, theirs = found.get(key, nothing), expected.get(key, nothing)
        near = TOLERANCE * (1 + abs(theirs[:2]).max())  # reviews and occurrences
        if not (np.abs(ours - theirs) <= np.where(fractions, near, 0.5)).all():
            findings.add(
                kind,
                day=day.isoformat(),
                of="/".join(key),
                stored=dict(zip(names, ours.tolist(), strict=True)),
                computed=dict(zip(names, theirs.tolist(), strict=True)),
            )
