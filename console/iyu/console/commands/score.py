"""`iyu score`: score texts at once, in this process, with their words coloured by heat."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from iyu.console.terminal.options import JsonOption

if TYPE_CHECKING:
    from iyu.worker.scoring import Prediction


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(score)


def score(
    texts: Annotated[list[str], typer.Argument(metavar="TEXT…", help="Reviews, each in quotes.")],
    model: Annotated[str | None, typer.Option(help="Instead of IYU_MODEL.")] = None,
    method: Annotated[str | None, typer.Option(help="Instead of IYU_METHODS.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Score reviews at once, without broker or database, with their words coloured by heat."""
    from iyu.console.local.env_file import load_settings
    from iyu.console.terminal.optional_libraries import require_worker_libraries
    from iyu.console.terminal.output import print_json
    from iyu.console.terminal.quiet_tensorflow import import_tensorflow_quietly

    require_worker_libraries()
    reviews = _admitted(texts)
    import_tensorflow_quietly()
    from iyu.worker.scoring import Scorer
    from iyu.worker.settings import WorkerSettings

    settings = load_settings(WorkerSettings, model=model, methods=method)
    predictions = Scorer.load(settings.model, settings.methods).score(reviews)
    if as_json:
        print_json([prediction.to_dict() for prediction in predictions])
        return
    _print(reviews, predictions)


def _admitted(texts: Sequence[str]) -> list[str]:
    """Return the texts as they are scored: trimmed, NFC. Raises InputError for one that cannot."""
    from iyu.schemas.contract.errors import InputError
    from iyu.schemas.contract.review import Review, admit

    reviews = []
    for number, text in enumerate(texts, start=1):
        verdict = admit(str(number), text)
        if not isinstance(verdict, Review):
            raise InputError(f"text {number} cannot be scored: {verdict.reason}")
        reviews.append(verdict.text)
    return reviews


def _print(reviews: Sequence[str], predictions: Sequence["Prediction"]) -> None:
    from rich.console import Console
    from rich.text import Text

    from iyu.console.terminal.coloured_heat import has_colour, heated, legend

    console = Console()
    colour = has_colour(console)
    for text, prediction in zip(reviews, predictions, strict=True):
        for explanation in prediction.explanations:
            head = Text(f"{prediction.probability:5.3f}  ", style="bold")
            console.print(head + heated(text, explanation.tokens, colour=colour))
    console.print(legend(colour=colour))
