"""Morphemes by number, so that each distinct one is parsed and measured once."""

from typing import Final

from iyu.schemas.contract.morpheme_tags import is_counted

#: Morphemes remembered; a hundred thousand take some 30 MB, and hold all but rare misspellings.
LIMIT: Final = 200_000
#: Number of grammar and of digits, which are not counted as words.
UNCOUNTED: Final = -1
#: Number of a morpheme that came after LIMIT others, and is not remembered.
UNNUMBERED: Final = -2

Entry = tuple[str, str, int, int]  # surface, tag, length (characters), number


class MorphemeNumbers:
    """MeCab's lines ("surface<tab>tag"), parsed, each with a number from 0 up to LIMIT."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._known: dict[str, Entry] = {}
        self._next = 0
        self.find = self._known.get  # bound once: it is called for every token

    def learn(self, line: str) -> Entry:
        """Parse a line that `find` does not know; remember it while there is room."""
        surface, _, tag = line.partition("\t")
        has_room = len(self._known) < self._limit
        number = UNNUMBERED
        if not is_counted(tag):
            number = UNCOUNTED
        elif has_room:
            number = self._next
            self._next += 1
        entry = surface, tag, len(surface), number
        if has_room:
            self._known[line] = entry
        return entry
