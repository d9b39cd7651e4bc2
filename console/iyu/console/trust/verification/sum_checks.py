"""The daily sums of words, beside the heatmaps that they sum."""

from collections.abc import Sequence
from datetime import date
from random import SystemRandom
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select, text

from iyu.console.trust.verification.findings import Findings, Kind
from iyu.console.trust.verification.scope import Scope
from iyu.schemas.sql.keyword_days import SUMS, from_explanations
from iyu.schemas.sql.tables import keyword_days, keyword_deltas
from iyu.worker.rows.add_to_keyword_days import _sum as sum_deltas

#: How far sums of heat may be apart, for each occurrence of a word: they were added in another
#: order.
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
Key = tuple[str, ...]
Sums = dict[Key, NDArray[np.float64]]


def check_totals(connection: Connection, findings: Findings) -> None:
    """Add the words whose reviews over all days are not the sum of their days."""
    for row in connection.execute(text(_TOTALS)).mappings():
        example = {name: int(row[name]) for name in ("days", "totals")}
        findings.add(Kind.WORD_TOTALS, **(dict(row) | example))


def draw_days(connection: Connection, scope: Scope, count: int | None) -> Sequence[date]:
    """Return some of the scope's days that have sums, drawn at random; all of them if None."""
    day = keyword_days.c.day
    query = select(day).distinct()
    if scope.since is not None:
        query = query.where(day >= scope.since.date())
    if scope.until is not None:
        query = query.where(day <= scope.until.date())
    days = connection.scalars(query.order_by(day)).all()
    if count is None or count >= len(days):
        return days
    return sorted(SystemRandom().sample(days, count))


def check_day(connection: Connection, day: date, findings: Findings) -> None:
    """Add the words whose sums of a day are not those of the day's heatmaps."""
    expected, found = _computed(connection, day), _stored(connection, day)
    nothing = np.zeros(len(SUMS))
    for key in sorted(expected.keys() | found.keys()):
        ours, theirs = found.get(key, nothing), expected.get(key, nothing)
        if not _are_equal(ours, theirs):
            findings.add(
                Kind.DAY_SUMS,
                day=day.isoformat(),
                word="/".join(key),
                stored=dict(zip(SUMS, ours.tolist(), strict=True)),
                computed=dict(zip(SUMS, theirs.tolist(), strict=True)),
            )


def _computed(connection: Connection, day: date) -> Sums:
    query = from_explanations(connection.dialect.name)
    chosen = text(f"SELECT * FROM ({query}) AS sums WHERE day = :day")
    value = day.isoformat() if connection.dialect.name == "sqlite" else day
    return _sums(connection.execute(chosen, {"day": value}).mappings())


def _stored(connection: Connection, day: date) -> Sums:
    """Return the table's sums, with what waits to be added to them."""
    query = select(keyword_days).where(keyword_days.c.day == day)
    sums = _sums(connection.execute(query).mappings())
    waiting = sum_deltas(connection.scalars(select(keyword_deltas.c.payload)))
    for (version, method, of_day), (words, figures) in waiting.items():
        if of_day != day.isoformat():
            continue
        for word, row in zip(words, figures, strict=True):
            key = (version, method, *word.split("\t"))
            sums[key] = sums.get(key, np.zeros(len(SUMS))) + row
    return sums


def _sums(rows: Any) -> Sums:
    names = [c.name for c in keyword_days.primary_key if c.name != "day"]
    return {
        tuple(row[name] for name in names): np.array([float(row[name]) for name in SUMS])
        for row in rows
    }


def _are_equal(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> bool:
    heat = np.array(["heat" in name for name in SUMS])
    near = TOLERANCE * (1 + abs(theirs[SUMS.index("occurrences")]))
    return bool((np.abs(ours - theirs) <= np.where(heat, near, 0.5)).all())
