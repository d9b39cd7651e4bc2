"""`iyu evaluate`: how good a model is on labelled reviews, and whether the stored rows agree."""

from pathlib import Path
from typing import Annotated

import typer

from iyu.console.terminal.options import JsonOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    data: Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines or Parquet with labels 0/1.")],
    model: Annotated[str | None, typer.Option(help="Instead of IYU_MODEL.")] = None,
    text_column: Annotated[str, typer.Option(help="The column of texts.")] = "document",
    label_column: Annotated[str, typer.Option(help="The column of labels.")] = "label",
    id_column: Annotated[str, typer.Option(help="The column of ids, for --source.")] = "id",
    source: Annotated[
        str | None, typer.Option(help="Compare with the rows stored under this source.")
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Write id, label and probability to this CSV file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a model on labelled reviews in this process; with --source, compare with the rows."""
    from iyu.console.local.env_file import load_settings
    from iyu.console.terminal.optional_libraries import require_training_libraries
    from iyu.console.terminal.output import print_json
    from iyu.console.terminal.quiet_tensorflow import import_tensorflow_quietly

    require_training_libraries()
    import_tensorflow_quietly()
    from iyu.console.analysis.model_evaluation import (
        compare_with_rows,
        evaluate_in_process,
        write_predictions,
    )
    from iyu.worker.settings import WorkerSettings
    from iyu.worker.training.data import read_labelled

    settings = load_settings(WorkerSettings, model=model)
    reviews = read_labelled(data, text=text_column, label=label_column, review_id=id_column)
    report, found = evaluate_in_process(settings.model, reviews)
    if source:
        report["rows"] = compare_with_rows(settings.database, source, reviews, found, report)
    if predictions:
        write_predictions(predictions, reviews, found)
    if as_json:
        print_json(report, indent=True)
        return
    for name, value in report.items():
        typer.echo(f"{name}: {value}")
