"""`iyu evaluate-explanations`: how faithful heatmaps are to the model, method by method."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iyu.console.terminal.options import JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iyu.worker.explain.quality.comparison import Row

#: Headings that fit a terminal of eighty characters.
_SHORT = {
    "comprehensiveness": "compr.",
    "sufficiency": "suffic.",
    "deletion": "delet.",
    "insertion": "insert.",
    "random": "rand.",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate-explanations")(evaluate_explanations)


def evaluate_explanations(
    data: Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines or Parquet of reviews.")],
    model: Annotated[str | None, typer.Option(help="Instead of IYU_MODEL.")] = None,
    reviews: Annotated[int, typer.Option(help="How many, drawn at random; 0 for all.")] = 1_000,
    methods: Annotated[
        str | None, typer.Option(help="Comma-separated; all of them if not given.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    text_column: Annotated[str | None, typer.Option(help="The column of texts.")] = None,
    as_json: JsonOption = False,
    out: Annotated[
        Path | None, typer.Option(help="Save the table: .json, or .md for Markdown.")
    ] = None,
) -> None:
    """Measure how faithful each method's heatmaps are, with random heat as the control.

    comprehensiveness: what p loses without the top fifth of the words (higher is better);
    sufficiency: what it loses with them alone (lower); deletion and insertion: the mean p while
    words go or come, the weightiest first (lower, higher); kendall: agreement with leaving one
    word out; random weights: correlation with the heat of untrained networks (near 0).
    """
    from iyu.console.terminal.optional_libraries import require_training_libraries

    require_training_libraries()
    from iyu.console.analysis.explanation_evaluation import faithfulness_report, read_texts
    from iyu.console.local.env_file import load_settings
    from iyu.console.terminal.output import open_to_write, print_json
    from iyu.console.terminal.quiet_tensorflow import import_tensorflow_quietly
    from iyu.worker.settings import WorkerSettings

    settings = load_settings(WorkerSettings, model=model, methods=methods)
    texts = read_texts(data, text_column, reviews, seed)
    import_tensorflow_quietly()
    report, rows = faithfulness_report(
        settings.model,
        settings.methods if methods else None,
        texts,
        lambda line: typer.echo(line, err=True),
    )
    report |= {"data": data.name, "seed": seed}
    if out:
        with open_to_write(out) as file:
            if out.suffix == ".json":
                print_json(report, indent=True, file=file)
            else:
                file.write(_markdown(report, rows))
    if as_json:
        print_json(report, indent=True)
    else:
        _print(report, rows)


def _head(report: dict[str, Any]) -> str:
    return (
        f"{report['reviews']:,} reviews of {report['data']}, model {report['model']} "
        f"{report['model_version']}; mean and 95 % interval"
    )


def _print(report: dict[str, Any], rows: "Sequence[Row]") -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from iyu.console.analysis.explanation_evaluation import columns, figures

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("method", no_wrap=True)
    for name in [*columns(), "ms a review"]:
        short = _SHORT.get(name.split()[0], "")
        heading = (short + name[len(name.split()[0]) :]) if short else name
        heading = heading.removesuffix(" a review").replace(" ", "\n", 1)
        table.add_column(heading, justify="right")
    for row in rows:
        cells = [f"{f.mean:.3f}\n[dim]±{(f.high - f.low) / 2:.3f}[/dim]" for f in figures(row)]
        table.add_row(row.method, *cells, f"{row.milliseconds:.3f}")
    console = Console()
    console.print(_head(report))
    console.print(table)


def _markdown(report: dict[str, Any], rows: "Sequence[Row]") -> str:
    from iyu.console.analysis.explanation_evaluation import columns, figures

    names = [*columns(), "ms a review"]
    lines = [
        _head(report),
        "",
        f"| method | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
    ]
    for row in rows:
        cells = [f"{f.mean:.3f} ({f.low:.3f} … {f.high:.3f})" for f in figures(row)]
        lines.append(f"| `{row.method}` | {' | '.join(cells)} | {row.milliseconds:.3f} |")
    return "\n".join([*lines, ""])
