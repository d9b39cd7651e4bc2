"""What a chunk adds to the daily figures of words: counted once, in whole arrays.

A chunk's transaction writes one row into `keyword_deltas`; `add_to_keyword_days` adds many of them
to `keyword_days`. Adding straight away would write several rows a review, and workers would wait
for each other's.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Connection, insert

from iyu.schemas.sql.tables import keyword_deltas
from iyu.worker.text.morpheme_numbers import LEXICON, LIMIT, NEW

#: More than there are numbers: a heatmap and a word make one number.
_SPAN: Final = 2 * LIMIT

Group = tuple[str, str, str, int, int]  # model_version, method, day, label, sign
Numeric = NDArray[Any]


class Tally:
    """What the heatmaps of a chunk add up to."""

    def __init__(self) -> None:
        self._groups: dict[Group, int] = {}
        self._days: dict[datetime, str] = {}
        self._new: dict[str, int] = {}  # words that the lexicon has no room for
        self._group: list[int] = []  # one a heatmap
        self._length: list[int] = []
        self._words: list[int] = []  # one a token
        self._heat: list[float | None] = []

    def add(
        self,
        key: tuple[str, str],
        moment: datetime,
        label: int,
        tokens: Sequence[dict[str, Any]],
        sign: int = 1,
    ) -> None:
        """Count one heatmap, or with sign −1 take it back.

        key: model_version and method. moment: when the review's text came in.
        """
        if (day := self._days.get(moment)) is None:
            day = self._days[moment] = moment.date().isoformat()
        group = (*key, day, label, sign)
        self._group.append(self._groups.setdefault(group, len(self._groups)))
        self._length.append(len(tokens))
        numbers = getattr(tokens, "numbers", None)
        if numbers is None or NEW in numbers:
            self._words.extend(map(self._number, tokens))
            self._heat.extend(token["heat"] for token in tokens)
        else:  # `iyu.worker.scoring.Tokens` has both as columns already
            self._words.extend(numbers)
            self._heat.extend(tokens.heats)  # type: ignore[attr-defined]

    def write(self, connection: Connection) -> int | None:
        """Write the delta; return its id, None if nothing was counted."""
        payload = self._payload()
        if payload is None:
            return None
        added = connection.execute(insert(keyword_deltas).values(payload=payload))
        return int(added.inserted_primary_key[0]) if added.inserted_primary_key else None

    def _number(self, token: dict[str, Any]) -> int:
        line = f"{token['surface']}\t{token['pos']}"
        number = LEXICON.number(line)
        return self._new.setdefault(line, LIMIT + len(self._new)) if number == NEW else number

    def _payload(self) -> bytes | None:
        """Return JSON: [model_version, method, day, label, sign, words, three columns] a group."""
        word, heat = np.array(self._words, np.int64), np.array(self._heat, np.float64)
        heatmap = np.repeat(np.arange(len(self._length)), self._length)
        kept = (word >= 0) & ~np.isnan(heat)
        # A word that is met again in its heatmap is one review, and several occurrences.
        pairs, where = np.unique(heatmap[kept] * _SPAN + word[kept], return_inverse=True)
        times, heats = np.bincount(where), np.bincount(where, heat[kept])
        group, word = np.array(self._group, np.int64)[pairs // _SPAN], pairs % _SPAN
        parts = [
            [*key, *self._sum(word[mine], times[mine], heats[mine])]
            for key, number in self._groups.items()
            if (mine := group == number).any()
        ]
        return orjson.dumps(parts, option=orjson.OPT_SERIALIZE_NUMPY) if parts else None

    def _sum(
        self, word: Numeric, times: Numeric, heats: Numeric
    ) -> tuple[str, Numeric, Numeric, Numeric]:
        """Return a group's words, and of each its reviews, occurrences and heat."""
        words, where = np.unique(word, return_inverse=True)
        occurrences = np.bincount(where, times).astype(np.int64)
        return self._lines(words), np.bincount(where), occurrences, np.bincount(where, heats)

    def _lines(self, words: Numeric) -> str:
        new = list(self._new)
        return "\n".join([LEXICON.line(n) if n < LIMIT else new[n - LIMIT] for n in words.tolist()])
