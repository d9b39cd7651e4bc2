"""How each preset is trained, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from iyu.schemas.contract.errors import SettingsError
from iyu.worker.training import source
from iyu.worker.training.data import LabelledReviews, read_unlabelled
from iyu.worker.training.metrics import Metrics
from iyu.worker.training.wide.recipe import train as train_wide
from iyu.worker.training.wide.settings import Settings, Task
from iyu.worker.training.word_vectors import read_word_vectors

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """The options of one training."""

    data: LabelledReviews
    out: Path  # the folder the artifact goes to; an interrupted run goes on from what it left there
    seed: int = 1
    epochs: int | None = None  # None: what the recipe says
    unlabelled: Path | None = None  # texts to learn from beside the labelled ones
    text_column: str = "document"  # of the unlabelled texts
    command: str = ""  # how it was started, for the model card
    student: str | None = None  # a finished model that goes on
    word_vectors: Path | None = None  # what words mean


#: A recipe trains, saves the artifact with its curves, and returns the validation metrics.
RECIPES: Final[dict[str, Callable[[Run, Say], Metrics]]] = {
    "source": lambda run, say: source.train(
        run.data, run.out, seed=run.seed, epochs=run.epochs or source.EPOCHS, say=say
    ),
    "wide": lambda run, say: train_wide(_wide_task(run), say),
}


def recipe(preset: str) -> Callable[[Run, Say], Metrics]:
    """Return a preset's recipe.

    Raises SettingsError for an unknown name.
    """
    if preset not in RECIPES:
        raise SettingsError(f"no preset {preset!r}; choose one of: {', '.join(RECIPES)}")
    return RECIPES[preset]


def _wide_task(run: Run) -> Task:
    texts = read_unlabelled(run.unlabelled, text=run.text_column) if run.unlabelled else []
    origin = run.unlabelled.name if run.unlabelled else None
    settings = Settings().of_epochs(run.epochs) if run.epochs else Settings()
    vectors = read_word_vectors(run.word_vectors) if run.word_vectors else None
    return Task(
        run.data, texts, origin, run.out, run.seed, settings, run.command, run.student, vectors
    )
