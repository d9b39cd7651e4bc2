"""One training's input, and the sizes of the recipe, chosen on validation (docs/model.md)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from iyu.worker.training.data import LabelledReviews
from iyu.worker.training.wide.deep import Shape
from iyu.worker.training.wide.fit import Fit
from iyu.worker.training.wide.language import Language
from iyu.worker.training.wide.linear import Linear
from iyu.worker.training.wide.recurrent import Reading
from iyu.worker.training.word_vectors import WordVectors


@dataclass(frozen=True, slots=True)
class Composed:
    """What the last stage reads: examples made by rule, among as many others that it knows."""

    sentences: int = 100_000  # made of predicates and templates
    counterfactuals: int = 4  # times that each negated review is read in an epoch
    texts: int = 100_000  # of those without labels, drawn once
    marked: int = 20_000  # labelled reviews, and as many examples, that the rules are applied to
    marking_steps: int = 1_500  # of the gates toward the rules
    drop_word: float = 0.06  # words read as unknown; their vectors stay
    quiet: float = 0.6  # how often an example made by rule is read by its words' vectors alone
    vector_length: float = 3.0  # of a word's vector


@dataclass(frozen=True, slots=True)
class Settings:
    """Every size and weight that may be changed."""

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
    #: The last stage, on negation and contrast.
    composing: Fit = field(
        default_factory=lambda: Fit(epochs=4, batch=1_024, rate=2e-3, gram_rate=0.2)
    )
    #: The same for a student that has gates already.
    going_on: Fit = field(
        default_factory=lambda: Fit(epochs=3, batch=512, rate=1.5e-3, gram_rate=0.1)
    )
    composed: Composed = field(default_factory=Composed)

    def of_epochs(self, epochs: int) -> "Settings":
        """Return settings under which the student sees each text `epochs` times."""
        return replace(self, studying=replace(self.studying, epochs=epochs))


@dataclass(frozen=True, slots=True)
class Task:
    """The data and the settings of one training."""

    data: LabelledReviews
    unlabelled: Sequence[str]  # texts
    unlabelled_origin: str | None  # the file's name
    out: Path
    seed: int
    settings: Settings = field(default_factory=Settings)
    command: str = ""  # how it was started
    student: str | Path | None = None  # an artifact to take as the student, in place of stages
    vectors: WordVectors | None = None  # what words mean

    @property
    def fingerprint(self) -> str:
        """Equal for two trainings of which one may go on where the other stopped."""
        digest = sha256(
            f"{self.data.fingerprint} {self.seed} {self.settings} {self.student} "
            f"{self.vectors.fingerprint if self.vectors else None}".encode()
        )
        for text in self.unlabelled:
            digest.update(text.encode())
        return digest.hexdigest()[:16]
