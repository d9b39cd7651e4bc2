"""What surfaces and n-grams are compared by: folded characters, and hashes that never change."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]

#: Repeats of a character that count at most: ㅋㅋㅋ and ㅋㅋㅋㅋㅋㅋ say the same.
RUN: Final = 3
_OFFSET: Final = 0x811C9DC5
_PRIME: Final = 0x01000193
_SYLLABLES: Final = range(0xAC00, 0xD7A4)
_FINALS: Final = 28  # syllables that share initial and vowel


def _table() -> Codes:
    """Return for each code point of the basic plane its folded one, 0 for a blank."""
    table = np.arange(0x10000, dtype=np.uint32)
    for code in range(0x10000):
        character = chr(code)
        if character.isspace() or code in {0x200B, 0xFEFF}:
            table[code] = 0
        elif 0xFF01 <= code <= 0xFF5E:  # full width
            table[code] = ord(chr(code - 0xFEE0).lower())
        elif character.isupper() and len(character.lower()) == 1:
            table[code] = ord(character.lower())
    return table


_FOLDED: Final = _table()


def fold_codes(codes: Codes) -> Codes:
    """Return folded code points, 0 for a blank; codes: (characters,)."""
    return np.where(codes < 0x10000, _FOLDED[np.minimum(codes, 0xFFFF)], codes)


def fold(surface: str) -> str:
    """Return a surface as the vocabulary has it: folded, without blanks, runs cut."""
    kept: list[str] = []
    for character in surface:
        code = ord(character)
        folded = chr(int(_FOLDED[code])) if code < 0x10000 else character
        if folded != "\0" and kept[-RUN:] != [folded] * RUN:
            kept.append(folded)
    return "".join(kept)


def skeleton(surface: str) -> str:
    """Return initials and vowels of the first three syllables, finals dropped.

    Inflections and common misspellings of a word meet there.
    """
    return "".join(
        chr((ord(c) - _SYLLABLES.start) // _FINALS) if ord(c) in _SYLLABLES else c
        for c in surface[:3]
    )


def hash_text(text: str) -> int:
    """Return 32 bits: FNV-1a over code points (Fowler, Noll and Vo, draft-eastlake-fnv)."""
    value = _OFFSET
    for character in text:
        value = ((value ^ ord(character)) * _PRIME) & 0xFFFFFFFF
    return value


def extend(hashes: Codes, codes: Codes) -> Codes:
    """Return each hash extended by one more code point: (n,) uint32."""
    hashes = (hashes ^ codes) * np.uint32(_PRIME)
    return hashes ^ (hashes >> np.uint32(15))


def start(count: int) -> Codes:
    """Return hashes of empty texts: (count,) uint32."""
    return np.full(count, _OFFSET, np.uint32)


def bucket(hashes: Codes, buckets: int) -> NDArray[np.int32]:
    """Return which bucket each hash falls into, 0 … buckets − 1: (n,) int32.

    Scattered first by MurmurHash3's finaliser (Appleby, public domain).
    """
    mixed = hashes ^ (hashes >> np.uint32(16))
    mixed = mixed * np.uint32(0x85EBCA6B)
    mixed = mixed ^ (mixed >> np.uint32(13))
    mixed = mixed * np.uint32(0xC2B2AE35)
    mixed = mixed ^ (mixed >> np.uint32(16))
    found: NDArray[np.int32] = (mixed % np.uint32(buckets)).astype(np.int32)
    return found
