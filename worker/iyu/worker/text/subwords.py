"""A token as four rows of one embedding table, so that no token is wholly unknown."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.text.folding import Codes, fold, hash_text, skeleton
from iyu.worker.text.vocabulary import Vocabulary

#: Rows summed for a token: the word, its beginning, its end, its skeleton.
SLOTS: Final = 4
#: Rows that beginnings, ends and skeletons are hashed into, after those of the vocabulary.
HASHED: Final = 1 << 14
#: Surfaces remembered; a review corpus has a few hundred thousand, and a worker runs for ever.
_REMEMBERED: Final = 300_000


def rows(vocabulary: Vocabulary) -> int:
    """Return how many rows the embedding table has."""
    return len(vocabulary) + HASHED


class Subwords:
    """Surfaces to rows and hashes; each distinct surface is computed once."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._place: dict[str, int] = {}
        self._rows = np.zeros((1 << 12, SLOTS), np.int32)
        self._hashes = np.zeros(1 << 12, np.uint32)

    def look_up(self, surfaces: Sequence[str]) -> tuple[NDArray[np.int32], Codes]:
        """Return rows: (tokens, SLOTS) int32, and hashes: (tokens,) uint32, of folded surfaces."""
        if len(self._place) + len(surfaces) > _REMEMBERED:
            self._place.clear()
        known, add = self._place.get, self._add
        places = [p if (p := known(surface)) is not None else add(surface) for surface in surfaces]
        index = np.array(places, np.int64)
        return self._rows[index], self._hashes[index]

    def _add(self, surface: str) -> int:
        place = self._place[surface] = len(self._place)
        if place >= len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._hashes = np.concatenate([self._hashes, np.zeros_like(self._hashes)])
        folded = fold(surface)
        self._rows[place, 0] = self._vocabulary.ids([folded])[0]
        self._rows[place, 1:] = len(self._vocabulary) + np.array(list(_pieces(folded)))
        self._hashes[place] = hash_text("w" + folded)
        return place


def _pieces(folded: str) -> Iterable[int]:
    yield hash_text("p" + folded[:2]) % HASHED
    yield hash_text(f"s{folded[-2:]}{min(len(folded), 3)}") % HASHED
    yield hash_text("k" + skeleton(folded)) % HASHED
