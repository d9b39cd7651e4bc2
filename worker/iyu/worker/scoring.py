"""Texts to predictions: cut, encode, explain, place the heat on tokens. Read this first."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import islice, repeat
from typing import Any

import numpy as np

from iyu.schemas.contract.addresses import address_tokens
from iyu.worker.explain.explainer import Explained, Explainer, Heatmap
from iyu.worker.explain.methods.method import Method
from iyu.worker.explain.methods.registry import DEFAULT, choose
from iyu.worker.model.artifact import Artifact
from iyu.worker.model.artifact import load as load_artifact
from iyu.worker.text.morphemes import Analyzer, Morphemes

#: A token as a row: surface, start, end (characters), pos, heat; `address` is true, and there at
#: all, where it is part of an address of mail or web.
#: heat is raw and signed; None for a token outside the model's window.
Token = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why, by one method: a review's tokens as columns, and the heat of each."""

    method: str
    layers: str
    target: str
    morphemes: Morphemes  # every token of the review, in order; shared by its explanations
    heats: Sequence[float | None]  # (tokens,) raw and signed; None outside the model's window
    comprehensiveness: float
    sufficiency: float
    pad_heat: float  # heat that fell on padding
    completeness_gap: float | None = None  # Σ heat − Δz, of methods that promise 0

    @property
    def tokens(self) -> list[Token]:
        """The columns as rows, made anew each time: for JSON and for reading."""
        m = self.morphemes
        rows: list[Token] = [
            {"surface": surface, "start": start, "end": end, "pos": pos, "heat": heat}
            for surface, start, end, pos, heat in zip(
                m.surfaces, m.starts, m.ends, m.tags, self.heats, strict=True
            )
        ]
        for number in self.addresses:
            rows[number]["address"] = True
        return rows

    @property
    def addresses(self) -> frozenset[int]:
        """The numbers of the tokens that are part of an address; of nearly every review none."""
        m = self.morphemes
        return address_tokens(m.text, m.starts, m.ends)

    @property
    def counted_heats(self) -> Sequence[float | None]:
        """The heats that may enter sums of words: (tokens,), None in an address."""
        if not (private := self.addresses):
            return self.heats
        return [None if n in private else heat for n, heat in enumerate(self.heats)]

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, as JSON takes it."""
        return {
            "method": self.method,
            "layers": self.layers,
            "target": self.target,
            "tokens": self.tokens,
            "comprehensiveness": self.comprehensiveness,
            "sufficiency": self.sufficiency,
            "pad_heat": self.pad_heat,
            "completeness_gap": self.completeness_gap,
        }


@dataclass(frozen=True, slots=True)
class Prediction:
    """One review's score, and why."""

    probability: float  # of positive
    logit: float
    token_count: int
    unknown_count: int
    truncated: bool  # some tokens are outside the model's window
    explanations: tuple[Explanation, ...]

    @property
    def label(self) -> int:
        """1 for positive, 0 for negative."""
        return int(self.probability >= 0.5)

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, as JSON takes it."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        explanations = [explanation.to_dict() for explanation in self.explanations]
        return named | {"explanations": explanations, "label": self.label}


class Scorer:
    """A model in memory, ready for chunks."""

    def __init__(self, artifact: Artifact, methods: Sequence[str] = (DEFAULT,)) -> None:
        self.artifact = artifact
        self._analyzer = Analyzer()
        self._encoder = artifact.encoder
        self._explainer = Explainer(artifact.network, choose(methods))

    @classmethod
    def load(cls, model: str, methods: Sequence[str] = (DEFAULT,)) -> "Scorer":
        """Load an artifact by name or path.

        Raises ArtifactError, SettingsError.
        """
        choose(methods)  # so that a wrong name fails before TensorFlow is loaded
        return cls(load_artifact(model), methods)

    def warm_up(self) -> None:
        """Compile everything that a chunk may need."""
        self._explainer.warm_up()

    def score(self, texts: Sequence[str]) -> list[Prediction]:
        """Score and explain admitted texts, in their order."""
        if not texts:
            return []
        cut = self._analyzer.analyze(texts)
        encoded = self._encoder.encode(cut)
        explained = self._explainer.explain(encoded.inputs)
        return self._place(cut, encoded.unknown, explained)

    def _place(
        self, cut: Sequence[Morphemes], unknown: Sequence[int], explained: Explained
    ) -> list[Prediction]:
        width = self._encoder.length
        placed = [
            _explanations(method, layers, heatmap, cut, width)
            for method, layers, heatmap in zip(
                self._explainer.methods, self._explainer.layers, explained.heatmaps, strict=True
            )
        ]
        return [
            Prediction(probability, logit, len(text), unseen, len(text) > width, explanations)
            for probability, logit, text, unseen, explanations in zip(
                explained.probability.tolist(),
                explained.logit.tolist(),
                cut,
                unknown,
                zip(*placed, strict=True) if placed else repeat(()),
                strict=False,  # without methods the explanations have no end
            )
        ]


def _explanations(
    method: Method, layers: str, heatmap: Heatmap, cut: Sequence[Morphemes], width: int
) -> list[Explanation]:
    """Place one method's heat on the tokens of every review of a chunk."""
    gaps = heatmap.completeness_gap
    words = np.minimum([len(text) for text in cut], width)
    seen = np.arange(width) >= width - words[:, np.newaxis]
    heats = iter(_round(heatmap.heat[seen]))
    padding = np.where(seen, 0.0, heatmap.heat).sum(axis=1).tolist()
    return [
        Explanation(
            method.key,
            layers,
            method.target,
            text,
            _heats(len(text), list(islice(heats, inside))),
            comprehensiveness,
            sufficiency,
            outside,
            gap,
        )
        for text, inside, outside, comprehensiveness, sufficiency, gap in zip(
            cut,
            words.tolist(),
            padding,
            heatmap.comprehensiveness.tolist(),
            heatmap.sufficiency.tolist(),
            repeat(None, len(cut)) if gaps is None else gaps.tolist(),
            strict=True,
        )
    ]


def _heats(tokens: int, seen: list[float]) -> list[float | None]:
    """Align heat with tokens at the end of a review; those before the window have none."""
    outside: list[float | None] = [None] * (tokens - len(seen))
    return outside + seen


def _round(heat: Any) -> list[float]:
    """Return heat with four significant digits: more than it is worth, and each is a byte."""
    exact = heat.astype(np.float64)
    magnitude = np.floor(np.log10(np.maximum(np.abs(exact), 1e-30)))
    scale = 10.0 ** (3 - magnitude)
    rounded: list[float] = (np.rint(exact * scale) / scale).tolist()
    return rounded
