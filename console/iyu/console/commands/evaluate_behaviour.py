"""`iyu evaluate-behaviour`: whether a model reads negation, contrast and the like."""

from typing import TYPE_CHECKING, Annotated

import typer

from iyu.console.terminal.options import JsonOption
from iyu.console.terminal.output import make_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iyu.console.analysis.behaviour.measure import Capability, Failure


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate-behaviour")(evaluate_behaviour)


def evaluate_behaviour(
    model: Annotated[str | None, typer.Option(help="Instead of IYU_MODEL.")] = None,
    failures: Annotated[bool, typer.Option(help="List the sentences it gets wrong.")] = False,
    as_json: JsonOption = False,
    card: Annotated[bool, typer.Option(help="Write the table into the model's card.")] = False,
) -> None:
    """Test a model on short Korean sentences whose reading is not open to doubt.

    A line a capability: negation, contrast, reported speech, other domains than films, spacing.
    Models are chosen on the validation part; the held-out part is for reporting alone.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.terminal.optional_libraries import require_training_libraries
    from iyu.console.terminal.output import print_json
    from iyu.console.terminal.quiet_tensorflow import import_tensorflow_quietly
    from iyu.worker.settings import WorkerSettings

    require_training_libraries()
    settings = load_settings(WorkerSettings, model=model)
    import_tensorflow_quietly()
    from iyu.console.analysis.behaviour.measure import as_dict, measure_behaviour, write_to_card
    from iyu.worker.model.artifact import load, locate

    artifact = load(settings.model)
    lines, wrong = measure_behaviour(artifact)
    if card:
        write_to_card(locate(settings.model), lines)
    if as_json:
        print_json(
            {
                "model": artifact.name,
                "model_version": artifact.model_version,
                "capabilities": as_dict(lines),
            },
            indent=True,
        )
        return
    _print(f"model {artifact.name} {artifact.model_version}", lines)
    if failures:
        _list(wrong)


def _print(head: str, lines: "Sequence[Capability]") -> None:
    from rich.console import Console

    parts = list(dict.fromkeys(line.part for line in lines))
    columns = ["capability", *(name for part in parts for name in (f"cases, {part}", part))]
    rows = []
    for name in dict.fromkeys(line.name for line in lines):
        found = {line.part: line for line in lines if line.name == name}
        shares = [(f.cases, f"{f.right / f.cases:.3f}") for f in (found[part] for part in parts)]
        rows.append([name, *(cell for share in shares for cell in share)])
    Console().print(make_table(columns, rows, right=columns[1:], title=head))


def _list(wrong: "Sequence[Failure]") -> None:
    for failure in wrong:
        scores = " → ".join(f"{p:.3f}" for p in failure.probabilities)
        sentences = " → ".join(failure.case.sentences)
        typer.echo(f"{failure.part}\t{failure.case.capability}\t{scores}\t{sentences}")
