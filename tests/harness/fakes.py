"""Stand-ins that several tests share."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine, select

from iyu.schemas.contract.message import Chunk
from iyu.schemas.sql.engine import reading
from iyu.schemas.sql.tables import chunks
from iyu.worker.scoring import Prediction
from tests.harness.explanations import explanation

CREATED = datetime(2026, 5, 1, 12, tzinfo=UTC)


class FakeScorer:
    """A model that gives every text one probability, or what `by_text` has for it.

    An exception in `by_text` is raised for every chunk that holds the text.
    """

    def __init__(
        self,
        version: str,
        probability: float = 0.75,
        by_text: Mapping[str, float | Exception] | None = None,
    ) -> None:
        manifest = {"preset": version, "created_at": CREATED.isoformat()}
        self.artifact = SimpleNamespace(model_version=version, manifest=manifest)
        self._probability = probability
        self._by_text = by_text or {}

    def score(self, texts: Sequence[str]) -> list[Prediction]:
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Prediction:
        probability = self._by_text.get(text, self._probability)
        if isinstance(probability, Exception):
            raise probability
        heat = probability - 0.5  # every word pulls as the review goes
        tokens: list[dict[str, Any]] = [
            {"surface": word, "start": text.index(word), "end": text.index(word) + len(word),
             "pos": "NNG", "heat": heat}
            for word in text.split()
        ]  # fmt: skip
        why = explanation(tokens, comprehensiveness=0.3)
        return Prediction(probability, heat, len(tokens), 0, False, (why,))


class FakeBroker:
    """Keeps what is published, or fails with the errors it is given.

    With a database, a chunk has to stand in its ledger before it is published.
    """

    def __init__(self, database: Engine | None = None) -> None:
        self.published: list[Chunk] = []
        self.publish_error: Exception | None = None
        self.ping_error: Exception | None = None
        self.free: int | None = None
        self._database = database

    def publish(self, chunk: Chunk) -> None:
        if self.publish_error:
            raise self.publish_error
        if self._database is not None:
            with reading(self._database) as connection:
                query = select(chunks.c.payload).where(chunks.c.chunk_id == chunk.chunk_id)
                assert connection.execute(query).scalar_one(), "published before it was committed"
        self.published.append(chunk)

    def take(self) -> list[Chunk]:
        """Return what was published since the last time."""
        taken, self.published = self.published, []
        return taken

    def free_bytes(self) -> int | None:
        if self.ping_error:
            raise self.ping_error
        return self.free

    def close(self) -> None:
        pass

    @property
    def texts(self) -> dict[str, str]:
        """The texts of all published reviews, by review_id."""
        return {r.review_id: r.text for chunk in self.published for r in chunk.reviews}
