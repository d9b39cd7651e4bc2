"""Words that reviews hold often and the model's vocabulary does not know."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from iyu.console.trust.word_examples import find_examples
from iyu.schemas.sql.tables import keyword_days, models, review_days
from iyu.worker.model.artifact import VOCABULARY_FILE


@dataclass(frozen=True, slots=True)
class UnknownWord:
    """A word that the vocabulary does not know, and where it was seen."""

    surface: str
    pos: str
    reviews: int
    mean_heat: float  # an occurrence: what its parts and its place do in spite of that
    weeks: list[int]  # reviews that hold it in each week, the oldest first
    trend: float | None  # share of reviews in the later half of the weeks / in the earlier half
    examples: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which words are wanted."""

    method: str
    weeks: int
    least: int  # reviews that hold it
    top: int


def read_vocabulary(folder: Path) -> frozenset[str]:
    """Return the surfaces that an artifact knows; nothing heavy is loaded."""
    return frozenset(orjson.loads((folder / VOCABULARY_FILE).read_bytes()))


def find_unknown_words(
    connection: Connection, model_version: str, vocabulary: Collection[str], wanted: Wanted
) -> list[UnknownWord]:
    """Return the words of the last weeks that most reviews hold; numbers and addresses are none."""
    d = keyword_days.c
    mine = d.model_version == model_version, d.method == wanted.method
    last = connection.execute(select(func.max(d.day)).where(*mine)).scalar()
    if last is None:
        return []
    first = last - timedelta(days=7 * wanted.weeks - 1)
    of_word = _by_week(connection, (*mine, d.day >= first), first, wanted.weeks)
    unknown = {
        word: row
        for word, row in of_word.items()
        if word[0] not in vocabulary and sum(row.weeks) >= wanted.least
    }
    chosen = sorted(unknown, key=lambda word: (-sum(unknown[word].weeks), word))[: wanted.top]
    in_all = _reviews_by_week(connection, model_version, first, wanted.weeks)
    examples = find_examples(connection, (model_version, wanted.method), chosen)
    return [
        UnknownWord(
            *word,
            sum(unknown[word].weeks),
            unknown[word].heat / unknown[word].occurrences,
            unknown[word].weeks,
            trend_of(unknown[word].weeks, in_all),
            examples.get(word, []),
        )
        for word in chosen
    ]


def trend_of(weeks: Sequence[int], in_all: Sequence[int]) -> float | None:
    """Return the share of reviews with a word in the later half, over that in the earlier half.

    None where the earlier half has none of them.
    """
    half = len(weeks) // 2
    before, after = sum(weeks[:half]), sum(weeks[half:])
    if not before or not sum(in_all[half:]):
        return None
    return (after / sum(in_all[half:])) / (before / max(sum(in_all[:half]), 1))


Word = tuple[str, str]


@dataclass(slots=True)
class _Sums:
    weeks: list[int]
    occurrences: int = 0
    heat: float = 0.0


def _by_week(
    connection: Connection, where: Sequence[Any], first: date, weeks: int
) -> dict[Word, _Sums]:
    d = keyword_days.c
    sums = func.sum(d.reviews), func.sum(d.occurrences), func.sum(d.heat)
    query = select(d.surface, d.pos, d.day, *sums).where(*where).group_by(d.surface, d.pos, d.day)
    found: dict[Word, _Sums] = {}
    for surface, pos, day, count, occurrences, heat in connection.execute(query):
        word = found.setdefault((surface, pos), _Sums([0] * weeks))
        word.weeks[(day - first).days // 7] += int(count)
        word.occurrences += int(occurrences)
        word.heat += float(heat)
    return {word: row for word, row in found.items() if row.occurrences > 0}


def _reviews_by_week(
    connection: Connection, model_version: str, first: date, weeks: int
) -> list[int]:
    d = review_days.c
    query = (
        select(d.day, func.sum(d.reviews))
        .where(d.model_version == model_version, d.day >= first)
        .group_by(d.day)
    )
    counts = [0] * weeks
    for day, count in connection.execute(query):
        if (week := (day - first).days // 7) < weeks:
            counts[week] += int(count)
    return counts


def shown_model(connection: Connection) -> str | None:
    """Return the model version that the views show; None where no model serves."""
    query = select(models.c.model_version).where(models.c.activated_at.is_not(None))
    latest = query.order_by(models.c.activated_at.desc(), models.c.model_version).limit(1)
    found: str | None = connection.execute(latest).scalar()
    return found
