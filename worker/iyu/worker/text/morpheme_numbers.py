"""Morphemes by number, remembered for as long as the process lives.

A morpheme that was met before need not be taken apart, measured or looked up again: most are.
"""

from typing import Final

from iyu.schemas.contract.morpheme_tags import is_function

#: Morphemes remembered; a hundred thousand take some 30 MB, and hold all but rare misspellings.
LIMIT: Final = 200_000
#: Number of particles, endings and punctuation, which are not counted, and of what there was no
#: room to remember.
FUNCTION: Final = -1
NEW: Final = -2

Entry = tuple[str, str, int, int]  # surface, tag, length (characters), number


class Lexicon:
    """What MeCab has found so far, by its own line: surface, tab, tag."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._known: dict[str, Entry] = {}
        self._lines: list[str] = []
        self.find = self._known.get  # the shortest way: once for every token

    def learn(self, line: str) -> Entry:
        """Take a line apart, and remember it while there is room."""
        surface, _, tag = line.partition("\t")
        if is_function(tag):
            number = FUNCTION
        else:
            number = NEW if len(self._known) >= self._limit else len(self._lines)
        entry = surface, tag, len(surface), number
        if len(self._known) < self._limit:
            self._known[line] = entry
            if number >= 0:
                self._lines.append(line)
        return entry

    def number(self, line: str) -> int:
        """Return a morpheme's number, FUNCTION or NEW."""
        return (self.find(line) or self.learn(line))[3]

    def line(self, number: int) -> str:
        """Return the line that has a number."""
        return self._lines[number]


#: One a process: the analyzer fills it, and counting goes by its numbers.
LEXICON: Final = Lexicon()
