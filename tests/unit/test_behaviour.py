"""The behaviour test: what it holds, and when a case is right."""

from collections import Counter

import pytest

from iyu.console.analysis.behaviour.cases import Case, cases
from iyu.console.analysis.behaviour.measure import PARTS, is_right
from iyu.console.analysis.behaviour.predicates import predicates


def test_each_part_has_enough_cases_of_every_capability():
    for part in PARTS:
        found = Counter(case.capability for case in cases(part))
        assert sum(found.values()) >= 600
        assert min(found.values()) >= 12
    assert {c.capability for c in cases(PARTS[0])} == {c.capability for c in cases(PARTS[1])}


def test_the_parts_share_no_predicate_and_no_sentence():
    stems, sentences = (
        [{p.stem for p in predicates(part)} for part in PARTS],
        [{s for case in cases(part) for s in case.sentences} for part in PARTS],
    )
    assert not stems[0] & stems[1]
    assert not sentences[0] & sentences[1]


def test_every_domain_has_as_much_praise_as_blame():
    for part in PARTS:
        signs = Counter((p.domain, p.is_praise) for p in predicates(part))
        assert all(signs[domain, True] == signs[domain, False] for domain, _ in signs)


@pytest.mark.parametrize("part", PARTS)
def test_a_negated_sentence_has_the_other_sign(part: str):
    found = {case.sentence: case for case in cases(part)}
    for predicate in predicates(part):
        denied = [
            s for s in found if s.startswith(f"{predicate.subject} {predicate.stem}지 않네요")
        ]
        denied += [s for s in found if s == f"{predicate.subject} {predicate.stem}지 않아요."]
        assert denied
        assert all(found[s].is_praise is not predicate.is_praise for s in denied)


@pytest.mark.parametrize(
    ("case", "scores", "right"),
    [
        (Case("negation", "a", True), [0.5], True),
        (Case("negation", "a", True), [0.49], False),
        (Case("negation", "a", False), [0.49], True),
        (Case("invariance", "a", other="b"), [0.3, 0.39], True),
        (Case("invariance", "a", other="b"), [0.3, 0.41], False),
        (Case("direction", "a", other="b", pushes_up=True), [0.6, 0.59], True),
        (Case("direction", "a", other="b", pushes_up=True), [0.6, 0.58], False),
        (Case("direction", "a", other="b", pushes_up=False), [0.2, 0.22], False),
        (Case("direction", "a", other="b", pushes_up=False), [0.2, 0.1], True),
    ],
)
def test_a_case_is_right(case: Case, scores: list[float], right: bool):
    assert is_right(case, scores) is right
