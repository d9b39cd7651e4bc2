"""Explanations written out token by token."""

from collections.abc import Mapping, Sequence
from typing import Any

from iyu.worker.scoring import Explanation
from iyu.worker.text.morphemes import Morphemes


def explanation(
    tokens: Sequence[Mapping[str, Any]],
    *,
    method: str = "gradcam",
    comprehensiveness: float = 0.1,
    sufficiency: float = 0.1,
    pad_heat: float = 0.0,
) -> Explanation:
    """Return an explanation of tokens with surface, start, end, pos and heat."""
    surfaces, starts, ends, tags, heats = (
        [token[name] for token in tokens] for name in ("surface", "start", "end", "pos", "heat")
    )
    return Explanation(
        method=method,
        layers="conv1",
        target="logit",
        morphemes=Morphemes(" ".join(surfaces), surfaces, tags, starts, ends),
        heats=heats,
        comprehensiveness=comprehensiveness,
        sufficiency=sufficiency,
        pad_heat=pad_heat,
    )
