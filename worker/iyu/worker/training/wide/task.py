"""What a training of the preset `wide` was given."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from iyu.worker.training.data import LabelledReviews
from iyu.worker.training.wide.settings import Settings


@dataclass(frozen=True, slots=True)
class Task:
    """What a training was given."""

    data: LabelledReviews
    unlabelled: Sequence[str]  # texts
    unlabelled_origin: str | None  # the file's name
    out: Path
    seed: int
    settings: Settings = field(default_factory=Settings)
    command: str = ""  # how it was started

    @property
    def fingerprint(self) -> str:
        """What makes two trainings the same, so that one may go on where the other stopped."""
        digest = sha256(f"{self.data.fingerprint} {self.seed} {self.settings}".encode())
        for text in self.unlabelled:
            digest.update(text.encode())
        return digest.hexdigest()[:16]
