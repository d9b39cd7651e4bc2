"""Reviews as flat arrays: tokens and n-grams, one review after the other."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iyu.worker.text.folding import fold
from iyu.worker.text.morphemes import Analyzer, Morphemes
from iyu.worker.text.ngrams import character_grams, token_grams
from iyu.worker.text.subwords import Subwords
from iyu.worker.text.vocabulary import Vocabulary

Ints = NDArray[np.int32]
Index = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_CHUNK = 4_096


@dataclass(frozen=True, slots=True)
class Cut:
    """Texts, cut: which surfaces stand in the window, and the character n-grams over them."""

    surfaces: list[str]  # distinct
    tokens: Ints  # (tokens,) place in `surfaces`
    counts: Index  # (reviews,) tokens
    grams: Ints  # (grams,) buckets
    gram_first: Bytes  # (grams,) the first token each lies in, counted in the window
    gram_span: Bytes  # (grams,) further tokens it lies in
    gram_counts: Index  # (reviews,)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return it as a file holds it."""
        text = np.frombuffer("\n".join(self.surfaces).encode(), np.uint8)
        return {
            "surfaces": text,
            "tokens": self.tokens,
            "counts": self.counts,
            "grams": self.grams,
            "gram_first": self.gram_first,
            "gram_span": self.gram_span,
            "gram_counts": self.gram_counts,
        }

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]]) -> "Cut":
        """Return what `arrays` gave."""
        surfaces = arrays["surfaces"].tobytes().decode().split("\n")
        return cls(surfaces, *(arrays[name] for name in cls.__slots__[1:]))

    def frequencies(self, reviews: int) -> Counter[str]:
        """Return how often each folded surface stands in the first reviews."""
        tokens = self.tokens[: int(self.counts[:reviews].sum())]
        found: Counter[str] = Counter()
        for surface, times in zip(
            self.surfaces, np.bincount(tokens, minlength=len(self.surfaces)).tolist(), strict=True
        ):
            found[fold(surface)] += times
        del found[""]
        return found


def cut_texts(texts: Sequence[str], length: int, buckets: int) -> Cut:
    """Cut texts into their last `length` tokens and the n-grams of their characters."""
    analyzer, places = Analyzer(), dict[str, int]()
    parts: list[tuple[Any, ...]] = []
    for first in range(0, len(texts), _CHUNK):
        cut = analyzer.analyze(texts[first : first + _CHUNK])
        parts.append(_flat(cut, length, buckets, places))
    return Cut(list(places), *(np.concatenate(part) for part in zip(*parts, strict=True)))


def _flat(
    cut: Sequence[Morphemes], length: int, buckets: int, places: dict[str, int]
) -> tuple[NDArray[Any], ...]:
    tokens = [
        places.setdefault(surface, len(places))
        for text in cut
        for surface in text.surfaces[-length:]
    ]
    total = np.array([len(text) for text in cut])
    grams = character_grams(cut, buckets)
    before = np.maximum(total - length, 0)  # tokens of a review that stand before its window
    grams = grams[grams.first >= before[grams.row]]
    order = np.argsort(grams.row, kind="stable")
    return (
        np.array(tokens, np.int32),
        np.minimum(total, length),
        grams.ids[order],
        (grams.first - before[grams.row])[order].astype(np.uint8),
        grams.span[order].astype(np.uint8),
        np.bincount(grams.row, minlength=len(cut)),
    )


class Corpus:
    """Cut reviews under a vocabulary, ready to be drawn from."""

    def __init__(self, cuts: Sequence[Cut], vocabulary: Vocabulary, buckets: int) -> None:
        rows, pairs = [], []
        for cut in cuts:
            of_surface, hashes = _look_up(Subwords(vocabulary), cut.surfaces)
            rows.append(of_surface[cut.tokens])
            grams = token_grams(hashes[cut.tokens], cut.counts, buckets)
            pairs.append((grams[np.argsort(grams.row, kind="stable")], len(cut.counts)))
        self.tokens: Ints = np.concatenate(rows)  # (tokens, SLOTS)
        self.counts: Index = np.concatenate([cut.counts for cut in cuts])
        self.offsets = _offsets(self.counts)
        self._grams = [
            _Slices(
                *(
                    np.concatenate([getattr(cut, name) for cut in cuts])
                    for name in ("grams", "gram_first", "gram_span", "gram_counts")
                )
            ),
            _Slices(
                np.concatenate([grams.ids for grams, _ in pairs]),
                np.concatenate([grams.first.astype(np.uint8) for grams, _ in pairs]),
                np.concatenate([grams.span.astype(np.uint8) for grams, _ in pairs]),
                np.concatenate([np.bincount(g.row, minlength=reviews) for g, reviews in pairs]),
            ),
        ]

    def __len__(self) -> int:
        """Return the number of reviews."""
        return len(self.counts)

    def rows(self, reviews: Index) -> Ints:
        """Return rows: (reviews, tokens, SLOTS), as wide as the longest; zeros fill them up."""
        counts = self.counts[reviews]
        width = max(4, (int(counts.max()) + 3) // 4 * 4)  # few widths: TensorFlow caches by shape
        at = np.arange(width)
        index = np.minimum(self.offsets[reviews][:, np.newaxis] + at, len(self.tokens) - 1)
        there = (at < counts[:, np.newaxis])[..., np.newaxis]
        return np.where(there, self.tokens[index], 0).astype(np.int32)

    def grams(self, reviews: Index) -> tuple[Ints, Ints]:
        """Return buckets: (grams,), and whose each is: (grams,), 0 … len(reviews) − 1."""
        return self.placed_grams(reviews)[:2]

    def placed_grams(self, reviews: Index) -> tuple[Ints, Ints, Bytes, Bytes]:
        """Return what `grams` does, with first token and further tokens: (grams,) each."""
        found = [slices.of(reviews) for slices in self._grams]
        ids, row, first, span = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return ids, row, first, span

    def batches(
        self, reviews: Index, size: int, draw: np.random.Generator | None = None
    ) -> Iterator[Index]:
        """Return batches of reviews alike in length: shuffled, or in order for no draw."""
        counts = self.counts[reviews]
        if draw is None:
            order = np.argsort(counts, kind="stable")
            return iter(np.split(reviews[order], range(size, len(order), size)))
        noisy = counts * draw.uniform(0.85, 1.15, len(counts)) + draw.uniform(0, 2, len(counts))
        parts = np.split(reviews[np.argsort(noisy)], range(size, len(reviews), size))
        return (parts[i] for i in draw.permutation(len(parts)))


def vocabulary_of(frequencies: Counter[str], words: int) -> Vocabulary:
    """Return the most frequent words; of equals, the first in code point order."""
    ordered = sorted(frequencies.items(), key=lambda item: (-item[1], item[0]))
    return Vocabulary([word for word, _ in ordered[:words]])


def _look_up(subwords: Subwords, surfaces: Sequence[str]) -> tuple[Ints, NDArray[np.uint32]]:
    parts = [subwords.look_up(surfaces[i : i + _CHUNK]) for i in range(0, len(surfaces), _CHUNK)]
    return np.concatenate([p for p, _ in parts]), np.concatenate([h for _, h in parts])


def _offsets(counts: Index) -> Index:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


class _Slices:
    """The n-grams of every review, one review after the other."""

    def __init__(self, ids: Ints, first: Bytes, span: Bytes, counts: Index) -> None:
        self._values = (ids, first, span)
        self._counts, self._offsets = counts, _offsets(counts)

    def of(self, reviews: Index) -> tuple[Ints, Ints, Bytes, Bytes]:
        """Return ids, place in `reviews`, first token and further tokens: (grams,) each."""
        chosen = self._counts[reviews]
        row = np.repeat(np.arange(len(reviews), dtype=np.int32), chosen)
        within = np.arange(len(row)) - np.repeat(np.cumsum(chosen) - chosen, chosen)
        at = np.repeat(self._offsets[reviews], chosen) + within
        ids, first, span = (values[at] for values in self._values)
        return ids, row, first, span
