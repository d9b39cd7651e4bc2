"""The sizes of the recipe, and what was chosen on validation (docs/model.md)."""

from dataclasses import dataclass, field, replace

from iyu.worker.training.wide.deep import Shape
from iyu.worker.training.wide.fit import Fit
from iyu.worker.training.wide.language import Language
from iyu.worker.training.wide.linear import Linear
from iyu.worker.training.wide.recurrent import Reading


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that may be turned."""

    length: int = 64  # tokens a network sees
    words: int = 40_000
    buckets: int = 1 << 21
    linear: Linear = field(default_factory=Linear)
    language: Language = field(default_factory=Language)
    #: Teachers that begin with the language model, each with a seed of its own.
    readers: int = 1
    reading: Reading = field(default_factory=Reading)
    teaching: Fit = field(default_factory=lambda: Fit(epochs=3, batch=256, rate=1e-3))
    #: Weight of the readers in the teachers' mean logit; the n-grams have the rest.
    reading_share: float = 0.5
    #: Times the teachers' mean logit: each alone is less sure than both together may be.
    softness: float = 1.1
    #: How much of a training label stands in the student's target beside the teachers' opinion.
    label_share: float = 0.3
    student: Shape = field(default_factory=Shape)
    studying: Fit = field(default_factory=lambda: Fit(epochs=8))

    def of_epochs(self, epochs: int) -> "Settings":
        """Return settings under which the student sees each text so often."""
        return replace(self, studying=replace(self.studying, epochs=epochs))
