"""The sizes of the recipe, and what was chosen on validation (docs/model.md)."""

from dataclasses import dataclass, field, replace
from typing import Final

from worker.training.wide.deep import Shape
from worker.training.wide.fit import Fit
from worker.training.wide.linear import Linear

#: The last tenth of the labelled file; nothing is trained on it.
VALIDATION: Final = 0.1


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that may be turned."""

    length: int = 64  # tokens a network sees
    words: int = 40_000
    buckets: int = 1 << 21
    linear: Linear = field(default_factory=Linear)
    #: Each teacher with its own seed and its own kernels: they err on different reviews.
    teachers: tuple[Shape, ...] = (
        Shape(128, 128, (1, 2, 3, 5), 128, 0.05, 0.2, 0.3),
        Shape(128, 128, (1, 2, 3), 128, 0.1, 0.25, 0.3),
        Shape(128, 128, (1, 2, 3, 4, 5), 128, 0.05, 0.25, 0.4),
    )
    teaching: Fit = field(default_factory=lambda: Fit(epochs=3))
    #: Weight of the convolutions in the teachers' mean logit; the n-grams have the rest.
    convolution_share: float = 0.4
    #: Times the teachers' mean logit: they are surer on what they have seen than they should be.
    softness: float = 0.85
    #: How much of a training label stands in the student's target beside the teachers' opinion.
    label_share: float = 0.5
    student: Shape = field(default_factory=Shape)
    studying: Fit = field(default_factory=lambda: Fit(epochs=2))

    def of_epochs(self, epochs: int) -> "Settings":
        """Return settings under which the student sees each text so often."""
        return replace(self, studying=replace(self.studying, epochs=epochs))
