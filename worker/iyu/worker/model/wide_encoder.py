"""Morphemes to what the preset `wide` reads."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from iyu.worker.model.encoding import Encoded
from iyu.worker.text.morphemes import Morphemes
from iyu.worker.text.ngrams import SPANS, Grams, character_grams, token_grams
from iyu.worker.text.subwords import SLOTS, Subwords
from iyu.worker.text.vocabulary import UNK, Vocabulary


class WideEncoder:
    """Rows of each token and sums of its n-grams; of a long review, the last `length` tokens.

    An n-gram counts if all of it stands in the window.
    """

    def __init__(self, vocabulary: Vocabulary, length: int, grams: NDArray[np.float16]) -> None:
        """Take the n-grams' weights: (buckets,)."""
        self.length = length
        self._subwords = Subwords(vocabulary)
        self._weights = grams

    def encode(self, texts: Sequence[Morphemes]) -> Encoded:
        """Return the inputs of a chunk; `WideNetwork` says which."""
        counts = np.array([len(text) for text in texts], np.int64)
        surfaces = [surface for text in texts for surface in text.surfaces]
        rows, hashes = self._subwords.look_up(surfaces)
        row = np.repeat(np.arange(len(texts)), counts)
        # From the end of a review: its last token stands in the last column.
        column = self.length - np.repeat(np.cumsum(counts), counts) + np.arange(len(surfaces))
        seen = column >= 0
        placed = np.zeros((len(texts), self.length, SLOTS), np.int32)
        placed[row[seen], column[seen]] = rows[seen]
        unknown = np.bincount(row, rows[:, 0] == UNK, len(texts)).astype(int).tolist()
        weight, count = self._sums(texts, hashes, counts)
        return Encoded(
            {
                "ids": placed[..., 0],
                "pieces": placed[..., 1:],
                "gram_weight": weight,
                "gram_count": count,
            },
            unknown,
        )

    def _sums(
        self, texts: Sequence[Morphemes], hashes: NDArray[np.uint32], counts: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return sum and number of the n-grams by first token and span: (batch, tokens, spans)."""
        buckets = len(self._weights)
        found = (character_grams(texts, buckets), token_grams(hashes, counts, buckets))
        names = ("ids", "row", "first", "span")
        grams = Grams(*(np.concatenate([getattr(g, n) for g in found]) for n in names))
        column = grams.first + (self.length - counts)[grams.row]
        seen = column >= 0
        cell = ((grams.row * np.int64(self.length) + column) * SPANS + grams.span)[seen]
        shape = (len(texts), self.length, SPANS)
        cells = int(np.prod(shape))
        weight = np.bincount(cell, self._weights[grams.ids[seen]], cells)
        count = np.bincount(cell, minlength=cells)
        return (
            weight.astype(np.float32).reshape(shape),
            count.astype(np.float32).reshape(shape),
        )
