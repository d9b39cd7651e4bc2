"""How often a model does what the behaviour test asks.

Source: Ribeiro et al. 2020, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, §2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from iyu.console.analysis.behaviour.cases import Case, cases
from iyu.console.analysis.behaviour.predicates import HELD_OUT, VALIDATION
from iyu.worker.model.artifact import Artifact, add_behaviour
from iyu.worker.training.card import write_card
from iyu.worker.training.evaluation import probabilities

PARTS: Final = (VALIDATION, HELD_OUT)
#: How far two probabilities may be apart that should be the same.
SAME: Final = 0.1
#: How far a probability may move the wrong way: near 0 and 1 rounding and saturation do that.
STILL: Final = 0.01


@dataclass(frozen=True, slots=True)
class Capability:
    """One line of the table."""

    part: str
    name: str
    cases: int
    right: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that the model gets wrong."""

    part: str
    case: Case
    probabilities: tuple[float, ...]


def measure_behaviour(
    artifact: Artifact, parts: Sequence[str] = PARTS
) -> tuple[list[Capability], list[Failure]]:
    """Return a line a capability, and every case that went wrong."""
    lines, failures = [], []
    for part in parts:
        chosen = cases(part)
        scores = _scores(artifact, chosen)
        right = [is_right(case, [scores[s] for s in case.sentences]) for case in chosen]
        for name in dict.fromkeys(case.capability for case in chosen):
            of_name = [
                good for case, good in zip(chosen, right, strict=True) if case.capability == name
            ]
            lines.append(Capability(part, name, len(of_name), sum(of_name)))
        failures += [
            Failure(part, case, tuple(scores[s] for s in case.sentences))
            for case, good in zip(chosen, right, strict=True)
            if not good
        ]
    return lines, failures


def write_to_card(folder: Path, lines: Sequence[Capability]) -> None:
    """Put the table into a model's manifest and its card."""
    add_behaviour(folder, as_dict(lines))
    write_card(folder)


def is_right(case: Case, scores: Sequence[float]) -> bool:
    """Return whether probabilities of a case's sentences are what it asks for."""
    if case.other is None:
        return (scores[0] >= 0.5) == case.is_praise
    before, after = scores
    if case.pushes_up is None:
        return abs(after - before) <= SAME
    return after >= before - STILL if case.pushes_up else after <= before + STILL


def as_dict(lines: Sequence[Capability]) -> list[dict[str, Any]]:
    """Return the table as a manifest and JSON hold it."""
    return [asdict(line) for line in lines]


def _scores(artifact: Artifact, chosen: Sequence[Case]) -> Mapping[str, float]:
    distinct = list(dict.fromkeys(s for case in chosen for s in case.sentences))
    found: np.ndarray[Any, Any] = probabilities(artifact, distinct)
    return dict(zip(distinct, found.tolist(), strict=True))
