"""Hashed n-grams of a chunk, each with the tokens that its characters lie in.

Characters 1 to 4, blanks ignored, with marks at both ends of a review; morphemes 1 and 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from iyu.worker.text.folding import RUN, Codes, bucket, extend, fold_codes, start
from iyu.worker.text.morphemes import Morphemes

Ints = NDArray[np.int32]

#: Character n-grams of 1 … ORDERS.
ORDERS: Final = 4
#: Tokens that an n-gram may lie in: a character of each, at least.
SPANS: Final = ORDERS
BEGIN, END = 1, 2  # code points that stand for the ends of a review
_GOLDEN: Final = 0x9E3779B1  # 2³² over the golden ratio: other lengths hash otherwise


@dataclass(frozen=True, slots=True)
class Grams:
    """The n-grams of a chunk, in no order that matters."""

    ids: Ints  # (grams,) bucket
    row: Ints  # (grams,) review in the chunk
    first: Ints  # (grams,) the first token it lies in, counted in its review
    span: Ints  # (grams,) further tokens it lies in, 0 … SPANS − 1

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Grams":
        """Return some of them."""
        return Grams(self.ids[chosen], self.row[chosen], self.first[chosen], self.span[chosen])


@dataclass(frozen=True, slots=True)
class _Characters:
    """The characters of a chunk that count, with the ends' marks: (characters,) each."""

    codes: Codes
    row: Ints
    token: Ints  # in its review; a mark belongs to its neighbour's
    is_mark: NDArray[np.bool_]


def character_grams(cut: Sequence[Morphemes], buckets: int) -> Grams:
    """Return the character n-grams of a chunk."""
    c = _marked(*_without_runs(*_characters(cut)), len(cut))
    total, parts = len(c.codes), []
    hashes = start(total)
    for order in range(min(ORDERS, total)):
        size = total - order
        hashes = extend(hashes[:size], c.codes[order:])
        span = c.token[order:] - c.token[:size]
        good = (c.row[order:] == c.row[:size]) & (span < SPANS)
        if order == 0:
            good &= ~c.is_mark
        salted = hashes[good] + np.uint32(order * _GOLDEN & 0xFFFFFFFF)
        parts.append(
            (bucket(salted, buckets), c.row[:size][good], c.token[:size][good], span[good])
        )
    columns = zip(*parts, strict=True) if parts else [[np.empty(0, np.int32)]] * 4
    return Grams(*(np.concatenate(column) for column in columns))


def token_grams(hashes: Codes, counts: NDArray[np.int64], buckets: int) -> Grams:
    """Return the morpheme n-grams of a chunk.

    hashes: (tokens,) of all reviews, one after the other; counts: (reviews,) tokens of each.
    """
    row = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    first = _within(counts)
    pair = row[1:] == row[:-1]
    both = hashes[:-1] * np.uint32(0x01000193) ^ hashes[1:] * np.uint32(_GOLDEN)
    return Grams(
        np.concatenate(
            [bucket(hashes ^ np.uint32(0x5BD1E995), buckets), bucket(both[pair], buckets)]
        ),
        np.concatenate([row, row[:-1][pair]]),
        np.concatenate([first, first[:-1][pair]]),
        np.repeat(np.array([0, 1], np.int32), [len(row), int(pair.sum())]),
    )


def _characters(cut: Sequence[Morphemes]) -> tuple[Codes, Ints, Ints]:
    """Return folded code points, their review and their token, without blanks."""
    lengths = np.array([len(text.text) for text in cut], np.int64)
    counts = np.array([len(text) for text in cut], np.int64)
    joined = "".join(text.text for text in cut)
    codes = fold_codes(np.frombuffer(joined.encode("utf-32-le"), np.uint32))
    row = np.repeat(np.arange(len(cut), dtype=np.int32), lengths)
    starts = np.fromiter(chain.from_iterable(text.starts for text in cut), np.int64, counts.sum())
    begins = np.zeros(len(codes), np.int32)
    begins[starts + np.repeat(np.cumsum(lengths) - lengths, counts)] = 1
    before = np.repeat((np.cumsum(counts) - counts).astype(np.int32), lengths)
    token = np.cumsum(begins, dtype=np.int32) - before - 1
    good = (codes != 0) & (token >= 0)
    return codes[good], row[good], token[good]


def _without_runs(codes: Codes, row: Ints, token: Ints) -> tuple[Codes, Ints, Ints]:
    """Leave out every character that repeats the RUN characters before it."""
    if len(codes) <= RUN:
        return codes, row, token
    same = (codes[1:] == codes[:-1]) & (row[1:] == row[:-1])
    again = np.logical_and.reduce([same[k : len(same) - RUN + 1 + k] for k in range(RUN)])
    kept = np.concatenate([np.ones(RUN, np.bool_), ~again])
    return codes[kept], row[kept], token[kept]


def _marked(codes: Codes, row: Ints, token: Ints, reviews: int) -> _Characters:
    """Put a mark before and after each review that has characters."""
    edge = np.flatnonzero(np.diff(row, prepend=-1, append=reviews))
    first, last = edge[:-1], edge[1:] - 1
    # Both marks of a review go in at once: END of one before BEGIN of the next, by position.
    at = np.stack([first, last + 1], axis=1).ravel()
    marks = np.tile(np.array([BEGIN, END], np.uint32), len(first))
    beside = np.stack([first, last], axis=1).ravel()
    return _Characters(
        np.insert(codes, at, marks),
        np.insert(row, at, row[beside]),
        np.insert(token, at, token[beside]),
        np.insert(np.zeros(len(codes), np.bool_), at, True),
    )


def _within(counts: NDArray[np.int64]) -> Ints:
    """Return 0, 1, … for each review's tokens, one review after the other."""
    total = int(counts.sum())
    return (np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)).astype(np.int32)
