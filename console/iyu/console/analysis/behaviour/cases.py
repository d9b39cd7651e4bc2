"""The cases of the behaviour test: sentences, and what a model has to make of them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final, TypeAlias

from iyu.console.analysis.behaviour import templates
from iyu.console.analysis.behaviour.phrases import (
    DOUBLE,
    NEGATED_BLAME,
    NEGATED_PRAISE,
    SPACING,
    phrases,
)
from iyu.console.analysis.behaviour.predicates import FILM, Predicate, predicates

#: Capabilities in the order of the table.
CONTRAST: Final = "contrast"
EXPECTATION: Final = "expectation"
REPORTED: Final = "reported speech"
INTENSITY: Final = "intensity"
INVARIANCE: Final = "invariance"
DIRECTION: Final = "direction"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that a model has to get right."""

    capability: str
    sentence: str
    is_praise: bool | None = None  # what it has to be read as
    other: str | None = None  # a sentence it is compared with
    pushes_up: bool | None = None  # None: both have to get the same score

    @property
    def sentences(self) -> tuple[str, ...]:
        """Every sentence that has to be scored."""
        return (self.sentence,) if self.other is None else (self.sentence, self.other)


Cases: TypeAlias = Iterator[Case]


def cases(part: str) -> list[Case]:
    """Return the cases of a part of the test, validation or held-out."""
    makers = (_plain, _negated, _double, _contrast, _expectation, _reported, _intensity)
    compared = (_spacing, _invariance, _direction)
    return [case for make in (*makers, *compared) for case in make(part)]


def _plain(part: str) -> Cases:
    for predicate in predicates(part):
        for template in templates.PLAIN[part]:
            yield Case(_domain(predicate), _filled(template, predicate), predicate.is_praise)


def _domain(predicate: Predicate) -> str:
    return f"plain, {predicate.domain}"


def _negated(part: str) -> Cases:
    for predicate in predicates(part):
        capability = NEGATED_PRAISE if predicate.is_praise else NEGATED_BLAME
        short = templates.SHORT_NEGATION[part] if predicate.takes_short else ()
        for template in (*templates.LONG_NEGATION[part], *short):
            yield Case(capability, _filled(template, predicate), not predicate.is_praise)
    for capability in (NEGATED_PRAISE, NEGATED_BLAME):
        yield from (Case(capability, *found) for found in phrases(part, capability))


def _double(part: str) -> Cases:
    for predicate in predicates(part):
        for template in templates.DOUBLE_NEGATION[part]:
            yield Case(DOUBLE, _filled(template, predicate), predicate.is_praise)
    yield from (Case(DOUBLE, *found) for found in phrases(part, DOUBLE))


def _contrast(part: str) -> Cases:
    for first, last in _opposites(part):
        for template in templates.CONTRAST[part]:
            yield Case(CONTRAST, template.format(a=first, b=last), last.is_praise)


def _expectation(part: str) -> Cases:
    for predicate in predicates(part):
        for template in templates.EXPECTED[part]:
            yield Case(EXPECTATION, _filled(template, predicate), not predicate.is_praise)
        hoped = templates.HOPED[part][predicate.is_praise]
        yield Case(EXPECTATION, _filled(hoped, predicate), predicate.is_praise)


def _reported(part: str) -> Cases:
    for predicate in predicates(part):
        for template in templates.DENIED[part]:
            yield Case(REPORTED, _filled(template, predicate), not predicate.is_praise)
    for first, last in _opposites(part):
        for template in templates.REPORTED[part]:
            yield Case(REPORTED, template.format(a=first, b=last), last.is_praise)


def _intensity(part: str) -> Cases:
    for predicate in predicates(part):
        if predicate.domain == FILM:
            for template in templates.INTENSITY[part]:
                yield Case(INTENSITY, _filled(template, predicate), predicate.is_praise)


def _spacing(part: str) -> Cases:
    """Every third plain or negated sentence without its blanks, and misspelt ones."""
    for case in [*_plain(part), *_negated(part)][::3]:
        yield Case(SPACING, case.sentence.replace(" ", ""), case.is_praise)
    yield from (Case(SPACING, *found) for found in phrases(part, SPACING))


def _invariance(part: str) -> Cases:
    for number, predicate in enumerate(predicates(part)):
        pairs = templates.INVARIANT[part]
        one, other = pairs[number % len(pairs)]
        yield Case(INVARIANCE, _filled(one, predicate), other=_filled(other, predicate))


def _direction(part: str) -> Cases:
    for predicate in predicates(part):
        sentence = _filled(templates.PLAIN[part][1], predicate)
        for up, words in templates.PUSHES[part].items():
            yield Case(DIRECTION, sentence, other=sentence + words, pushes_up=up)


def _opposites(part: str) -> Iterator[tuple[Predicate, Predicate]]:
    """Return pairs of one domain, one praise and one blame, in both orders."""
    found = predicates(part)
    for domain in dict.fromkeys(p.domain for p in found):
        praise = [p for p in found if p.domain == domain and p.is_praise]
        blame = [p for p in found if p.domain == domain and not p.is_praise]
        for good, bad in zip(praise, reversed(blame), strict=True):
            if good.subject != bad.subject:  # a room is not clean and dirty at once
                yield good, bad
                yield bad, good


def _filled(template: str, predicate: Predicate) -> str:
    return template.format(**asdict(predicate))
