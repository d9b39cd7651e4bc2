"""`iyu evaluate-behaviour`: whether a model reads negation, contrast and the like."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iyu.console.analysis.behaviour.measure import Capability, Failure


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate-behaviour")(evaluate_behaviour)


def evaluate_behaviour(
    model: Annotated[str | None, typer.Option(help="Instead of IYU_MODEL.")] = None,
    failures: Annotated[bool, typer.Option(help="List the sentences it gets wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    card: Annotated[bool, typer.Option(help="Write the table into the model's card.")] = False,
) -> None:
    """Test a model on short Korean sentences whose reading is not open to doubt.

    A line a capability: negation, contrast, reported speech, other domains than films, spacing.
    Models are chosen on the validation part; the held-out part is for reporting alone.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.terminal.quiet_tensorflow import quiet_tensorflow, require_training
    from iyu.worker.settings import WorkerSettings

    require_training()
    settings = load_settings(WorkerSettings, model=model)
    quiet_tensorflow()
    from iyu.console.analysis.behaviour.measure import as_dict, measure_behaviour
    from iyu.worker.model.artifact import add_behaviour, load, locate
    from iyu.worker.training.card import write_card

    artifact = load(settings.model)
    lines, wrong = measure_behaviour(artifact)
    if card:
        folder: Path = locate(settings.model)
        add_behaviour(folder, as_dict(lines))
        write_card(folder)
    if as_json:
        import orjson

        report = {
            "model": artifact.name,
            "model_version": artifact.model_version,
            "capabilities": as_dict(lines),
        }
        typer.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
        return
    _print(f"model {artifact.name} {artifact.model_version}", lines)
    if failures:
        _list(wrong)


def _print(head: str, lines: "Sequence[Capability]") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("capability", no_wrap=True)
    parts = list(dict.fromkeys(line.part for line in lines))
    for part in parts:
        table.add_column("cases", justify="right")
        table.add_column(part, justify="right")
    for name in dict.fromkeys(line.name for line in lines):
        found = {line.part: line for line in lines if line.name == name}
        cells = [(str(f.cases), f"{f.right / f.cases:.3f}") for f in map(found.get, parts) if f]
        table.add_row(name, *(cell for pair in cells for cell in pair))
    console = Console()
    console.print(head)
    console.print(table)


def _list(wrong: "Sequence[Failure]") -> None:
    for failure in wrong:
        scores = " → ".join(f"{p:.3f}" for p in failure.probabilities)
        sentences = " → ".join(failure.case.sentences)
        typer.echo(f"{failure.part}\t{failure.case.capability}\t{scores}\t{sentences}")
