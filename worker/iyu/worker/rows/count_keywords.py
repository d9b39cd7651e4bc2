"""What a chunk adds to the daily sums of words and reviews: counted once, in whole arrays.

A chunk's transaction writes one row into `day_deltas`; `add_to_keyword_days` adds many of them to
`keyword_days` and `review_days`. Adding to these here would write several rows a review, and make
workers wait for each other.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Connection, insert

from iyu.schemas.contract.morpheme_tags import is_counted
from iyu.schemas.sql.review_day import day_of
from iyu.schemas.sql.tables import day_deltas
from iyu.worker.rows.count_reviews import ReviewTally
from iyu.worker.text.morpheme_numbers import LIMIT, UNCOUNTED, UNNUMBERED

Group = tuple[str, str, str, int, int]  # model_version, method, day, label, sign
Numeric = NDArray[Any]


class Tally:
    """What the heatmaps and scores of a chunk add up to; all of one source."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.reviews = ReviewTally(source)
        self._groups: dict[Group, int] = {}
        self._days: dict[datetime, str] = {}
        self._own: dict[tuple[str, str], int] = {}  # words that came without a number
        self._group: list[int] = []  # one a heatmap, as the next
        self._length: list[int] = []
        self._words: list[int] = []  # one a token, as all below
        self._surfaces: list[str] = []
        self._tags: list[str] = []
        self._heats: list[float | None] = []

    def add(
        self,
        key: tuple[str, str],
        moment: datetime,
        label: int,
        surfaces: Sequence[str],
        tags: Sequence[str],
        heats: Sequence[float | None],
        numbers: Sequence[int] | None = None,
        sign: int = 1,
    ) -> None:
        """Count one heatmap, or with sign −1 take it back.

        key: model_version and method. moment: when the review's text came in. surfaces, tags,
        heats, numbers: (tokens,); numbers as in `Morphemes`, None if unknown.
        """
        if (day := self._days.get(moment)) is None:
            day = self._days[moment] = day_of(moment).isoformat()
        group = (*key, day, label, sign)
        self._group.append(self._groups.setdefault(group, len(self._groups)))
        self._length.append(len(surfaces))
        if numbers is None or UNNUMBERED in numbers:
            numbers = self._number(surfaces, tags, numbers)
        self._words.extend(numbers)
        self._surfaces.extend(surfaces)
        self._tags.extend(tags)
        self._heats.extend(heats)

    def write(self, connection: Connection) -> int | None:
        """Write the delta; return its id, None if nothing was counted."""
        payload = self._payload()
        if payload is None:
            return None
        added = connection.execute(insert(day_deltas).values(payload=payload))
        return int(added.inserted_primary_key[0]) if added.inserted_primary_key else None

    def _number(
        self, surfaces: Sequence[str], tags: Sequence[str], numbers: Sequence[int] | None
    ) -> list[int]:
        """Give numbers from LIMIT up, this tally's own, to words that have none."""
        given = numbers or [UNNUMBERED] * len(surfaces)
        own = self._own
        return [
            number
            if number != UNNUMBERED
            else own.setdefault((surface, tag), LIMIT + len(own))
            if is_counted(tag)
            else UNCOUNTED
            for number, surface, tag in zip(given, surfaces, tags, strict=True)
        ]

    def _payload(self) -> bytes | None:
        """Return JSON, None if nothing was counted.

        words: [source, model_version, method, day, label, sign, words, four columns] a group.
        reviews: [source, day, model_version, its sums] each.
        """
        parts = {"words": self._word_groups(), "reviews": self.reviews.rows()}
        return (
            orjson.dumps(parts, option=orjson.OPT_SERIALIZE_NUMPY) if any(parts.values()) else None
        )

    def _word_groups(self) -> list[list[Any]]:
        word, heat = np.array(self._words, np.int64), np.array(self._heats, np.float64)
        heatmap = np.repeat(np.arange(len(self._length)), self._length)
        kept = (word >= 0) & ~np.isnan(heat)
        span = int(word.max(initial=0)) + 1  # so that a heatmap and a word make one number
        token = np.zeros(span, np.int64)  # a token of each word
        token[word[kept]] = np.flatnonzero(kept)
        # A word that is met again in its heatmap is one review, and several occurrences.
        pairs, where = np.unique(heatmap[kept] * span + word[kept], return_inverse=True)
        times, heats = np.bincount(where), np.bincount(where, heat[kept])
        group, word = np.array(self._group, np.int64)[pairs // span], pairs % span
        return [
            [self.source, *key, *self._sum(word[mine], times[mine], heats[mine], token)]
            for key, number in self._groups.items()
            if (mine := group == number).any()
        ]

    def _sum(
        self, word: Numeric, times: Numeric, heats: Numeric, token: Numeric
    ) -> tuple[str, Numeric, Numeric, Numeric, Numeric]:
        """Return a group's words, and of each its reviews, occurrences, heat and heat squared."""
        words, where = np.unique(word, return_inverse=True)
        occurrences = np.bincount(where, times).astype(np.int64)
        lines = [f"{self._surfaces[i]}\t{self._tags[i]}" for i in token[words].tolist()]
        heat, squared = np.bincount(where, heats), np.bincount(where, heats * heats)
        return "\n".join(lines), np.bincount(where), occurrences, heat, squared
