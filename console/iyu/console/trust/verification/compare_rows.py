"""A stored score beside what the model says of its text now."""

from collections.abc import Sequence
from typing import Any, Final

from iyu.console.trust.verification.findings import Findings, Kind
from iyu.console.trust.verification.stored_rows import StoredRow
from iyu.schemas.contract.review import text_hash
from iyu.worker.scoring import Explanation, Prediction

#: How far a logit may be from the stored one: this, and as much again for each unit of it. A pass
#: is float32, and sums in another order where a review stands beside other reviews or the
#: processor has other instructions.
TOLERANCE: Final = 1e-4
#: How far heat may be besides, as a share of it: one unit of the last of its four digits, for the
#: least difference before rounding can be one unit after it.
HEAT_ROUNDING: Final = 1e-3


def compare_row(stored: StoredRow, fresh: Prediction, findings: Findings) -> None:
    """Add what differs between a stored score and a fresh one."""
    key = stored.key
    named: dict[str, Any] = {
        "source": key.source,
        "review_id": key.review_id,
        "model_version": key.model_version,
    }
    if text_hash(stored.text) != key.text_hash:
        findings.add(Kind.TEXT, **named)
    if not is_near(stored.logit, fresh.logit):
        findings.add(Kind.LOGIT, **named, stored=stored.logit, model=fresh.logit)
    counts = (stored.token_count, stored.unknown_count, stored.truncated)
    expected = (fresh.token_count, fresh.unknown_count, fresh.truncated)
    if counts != expected:
        findings.add(Kind.COUNTS, **named, stored=list(counts), model=list(expected))
    for explanation in fresh.explanations:
        if (tokens := stored.heatmaps.get(explanation.method)) is not None:
            _compare_heatmap(named, tokens, explanation, findings)


def is_near(stored: float | None, fresh: float | None, rounding: float = 0.0) -> bool:
    """Say whether two figures are the same within the tolerance; None is near None alone.

    rounding: how far they may be besides, as a share of them.
    """
    if stored is None or fresh is None:
        return stored is fresh
    return abs(stored - fresh) <= TOLERANCE * (1 + abs(fresh)) + rounding * abs(fresh)


def _compare_heatmap(
    named: dict[str, Any],
    tokens: Sequence[dict[str, Any]],
    explanation: Explanation,
    findings: Findings,
) -> None:
    m = explanation.morphemes
    cut = list(zip(m.surfaces, m.starts, m.ends, m.tags, strict=True))
    if [(t["surface"], t["start"], t["end"], t["pos"]) for t in tokens] != cut:
        findings.add(Kind.TOKENS, **named, method=explanation.method)
        return
    for number, (token, fresh) in enumerate(zip(tokens, explanation.heats, strict=True)):
        if not is_near(token["heat"], fresh, HEAT_ROUNDING):
            findings.add(
                Kind.HEAT,
                **named,
                method=explanation.method,
                token=number,
                stored=token["heat"],
                model=fresh,
            )
            return
