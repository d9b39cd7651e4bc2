"""The sums of words by day, of those words that most reviews hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, func, select

from iyu.console.trust.drift.sides import Side, Sides
from iyu.console.trust.drift.word_order import WordDays
from iyu.schemas.sql.tables import keyword_days, privacy
from iyu.schemas.sql.views import MIN_REVIEWS

#: Words that are compared, and the reviews that must hold one: rarer ones say nothing.
MOST: Final = 2_000
LEAST: Final = 5


@dataclass(frozen=True, slots=True)
class Words:
    """The words that are compared, and their sums on the days of both sides."""

    names: Sequence[tuple[str, str]]  # surface, pos
    days: WordDays


def read_words(
    connection: Connection,
    key: tuple[str, str],
    sides: Sides,
    days: tuple[Sequence[date], Sequence[date]],
) -> Words:
    """Return the words that most reviews of both sides hold; key: model version and method.

    Which words these are does not depend on which side a review is of.
    """
    chosen = _chosen(connection, key, sides)
    found = connection.execute(select(chosen.c.surface, chosen.c.pos))
    names = sorted((row.surface, row.pos) for row in found)
    numbers = {word: number for number, word in enumerate(names)}
    reviews, heat = (np.zeros((sum(map(len, days)), len(names))) for _ in range(2))
    begin = 0
    for side, of_side in zip((sides.window, sides.reference), days, strict=True):
        rows = {day: begin + number for number, day in enumerate(of_side)}
        begin += len(of_side)
        for day, surface, pos, held, heats in connection.execute(_sums(key, side, chosen)):
            if day in rows:
                place = rows[day], numbers[surface, pos]
                reviews[place], heat[place] = held, heats
    return Words(names, WordDays(reviews, heat))


def _chosen(connection: Connection, key: tuple[str, str], sides: Sides) -> Subquery:
    """Return the words that are compared; one that the views hide is none of them."""
    hidden = connection.execute(select(privacy.c.min_reviews)).scalar()
    least = max(LEAST, MIN_REVIEWS if hidden is None else hidden)
    d = keyword_days.c
    held = func.sum(d.reviews)
    return (
        select(d.surface, d.pos)
        .where(_of(key), sides.window.of(keyword_days) | sides.reference.of(keyword_days))
        .group_by(d.surface, d.pos)
        .having(held >= least)
        .order_by(held.desc(), d.surface, d.pos)
        .limit(MOST)
        .subquery()
    )


def _sums(key: tuple[str, str], side: Side, chosen: Subquery) -> Select[Any]:
    d = keyword_days.c
    word = d.surface, d.pos
    same = (d.surface == chosen.c.surface) & (d.pos == chosen.c.pos)
    return (
        select(d.day, *word, func.sum(d.reviews), func.sum(d.heat))
        .join_from(keyword_days, chosen, same)
        .where(_of(key), side.of(keyword_days))
        .group_by(d.day, *word)
    )


def _of(key: tuple[str, str]) -> ColumnElement[bool]:
    d = keyword_days.c
    return and_(d.model_version == key[0], d.method == key[1])
