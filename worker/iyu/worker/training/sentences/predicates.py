"""The lexicon that sentences are made of, written by hand: `lexicon/*.txt`.

None of its predicates is one of the behaviour test's (`iyu evaluate-behaviour`); a test compares
them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from iyu.worker.training.sentences.conjugation import Forms, conjugate

#: The longest stem that 안 is put before.
_SHORT = 5


@dataclass(frozen=True, slots=True)
class Predicate:
    """An adjective, or a verb used as one, with subjects that it fits: 방이, 침대가 + 편하."""

    is_praise: bool
    domain: str  # what it is said of: the heading that it stands under
    subjects: tuple[str, ...]  # with their particles
    forms: Forms
    takes_short: bool  # 안 before it


@dataclass(frozen=True, slots=True)
class Verb:
    """What somebody does or does not: 추천하다, 정이 가다."""

    is_praise: bool
    before: str  # what 안 stands behind: 추천, 정이
    forms: Forms  # of the whole
    last: Forms  # of the last word: 하, 가


@dataclass(frozen=True, slots=True)
class Phrases:
    """Nouns and set phrases by kind, praise and blame."""

    nouns: dict[bool, tuple[str, ...]]  # by what their presence means
    denied: dict[bool, tuple[str, ...]]  # by what they mean, before their ending
    double: dict[bool, tuple[str, ...]]  # denied twice
    verbs: dict[bool, tuple[Verb, ...]]


def predicates() -> list[Predicate]:
    """Return all of them, one for each word of a line."""
    lines = list(_adjectives())
    verbs = {word for sign, _, _, words in lines if sign == "=" for word in words}
    return [
        _predicate(sign == "+", domain, subjects, word, word in verbs)
        for sign, domain, subjects, words in lines
        if sign != "="
        for word in words
    ]


def phrases() -> Phrases:
    """Return nouns, verbs and phrases."""
    found: dict[tuple[str, bool], list[str]] = {}
    for line in _lines("phrases.txt"):
        head, _, rest = line.partition(" | ")
        kind, sign = head.split()
        found[kind, sign == "+"] = rest.split(" | ")
    both = (True, False)

    def of(kind: str) -> dict[bool, tuple[str, ...]]:
        return {sign: tuple(found[kind, sign]) for sign in both}

    nouns = {sign: tuple(found["noun", sign][0].split()) for sign in both}
    verbs = {
        sign: tuple(_verb(sign, words) for words in _words(found["verb", sign][0])) for sign in both
    }
    return Phrases(nouns, of("denied"), of("double"), verbs)


def _adjectives() -> Iterator[tuple[str, str, tuple[str, ...], list[str]]]:
    domain = ""
    for line in _lines("adjectives.txt", headings=True):
        if line.startswith("#"):
            domain = line[2:]
            continue
        sign, subjects, words = line.split(" | ")
        yield sign, domain, tuple(subjects.split(",")), _words(words)


def _words(line: str) -> list[str]:
    """Return the words of a line; _ stands for a blank within one."""
    return [word.replace("_", " ") for word in line.split()]


def _predicate(
    is_praise: bool, domain: str, subjects: tuple[str, ...], word: str, is_verb: bool
) -> Predicate:
    whole = word if word.endswith("다") and word != "다" else f"{word}하다"
    forms = conjugate(whole, is_verb=is_verb)
    short = len(forms.stem) <= _SHORT and (not whole.endswith("이다") or whole.endswith("적이다"))
    return Predicate(is_praise, domain, subjects, forms, short)


def _verb(is_praise: bool, word: str) -> Verb:
    before, _, last = word.rpartition(" ")
    if not before and last.endswith("하다") and len(last) > len("하다") + 1:
        before, last = last.removesuffix("하다"), "하다"
    return Verb(is_praise, before, conjugate(word, is_verb=True), conjugate(last, is_verb=True))


def _lines(name: str, *, headings: bool = False) -> Iterator[str]:
    text = (files(__package__) / "lexicon" / name).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines()):
        if number and line and (headings or not line.startswith("#")):
            yield line
