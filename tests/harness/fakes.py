"""Stand-ins that several tests share."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from iyu.schemas.contract.message import Chunk
from iyu.worker.scoring import Prediction
from tests.harness.explanations import explanation

CREATED = datetime(2026, 5, 1, 12, tzinfo=UTC)


class FakeScorer:
    """A model that says one probability of all texts but those it is told of."""

    def __init__(
        self, version: str, probability: float = 0.75, told: dict[str, float] | None = None
    ) -> None:
        manifest = {"preset": version, "created_at": CREATED.isoformat()}
        self.artifact = SimpleNamespace(model_version=version, manifest=manifest)
        self._probability = probability
        self._told = told or {}

    def score(self, texts: Sequence[str]) -> list[Prediction]:
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Prediction:
        probability = self._told.get(text, self._probability)
        heat = probability - 0.5  # every word pulls as the review goes
        tokens: list[dict[str, Any]] = [
            {"surface": word, "start": text.index(word), "end": text.index(word) + len(word),
             "pos": "NNG", "heat": heat}
            for word in text.split()
        ]  # fmt: skip
        why = explanation(tokens, comprehensiveness=0.3)
        return Prediction(probability, heat, len(tokens), 0, False, (why,))


class FakeBroker:
    """Keeps what was published, for `take`."""

    def __init__(self) -> None:
        self.published: list[Chunk] = []

    def publish(self, chunk: Chunk) -> None:
        self.published.append(chunk)

    def take(self) -> list[Chunk]:
        """Return what was published since the last time."""
        taken, self.published = self.published, []
        return taken

    def free_bytes(self) -> int | None:
        return None

    def close(self) -> None:
        pass
