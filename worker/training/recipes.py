"""How each preset is trained, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.errors import SettingsError
from worker.training import source
from worker.training.data import LabelledReviews
from worker.training.metrics import Metrics

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What a training is asked for."""

    data: LabelledReviews
    out: Path  # the folder the artifact goes to; an interrupted run goes on from what it left there
    seed: int = 1
    epochs: int | None = None  # None: what the recipe says


#: A recipe trains, saves the artifact with its curves, and returns the validation metrics.
RECIPES: Final[dict[str, Callable[[Run, Say], Metrics]]] = {
    "source": lambda run, say: source.train(
        run.data, run.out, seed=run.seed, epochs=run.epochs or source.EPOCHS, say=say
    ),
}


def recipe(preset: str) -> Callable[[Run, Say], Metrics]:
    """Return a preset's recipe.

    Raises SettingsError for an unknown name.
    """
    if preset not in RECIPES:
        raise SettingsError(f"no preset {preset!r}; choose one of: {', '.join(RECIPES)}")
    return RECIPES[preset]
