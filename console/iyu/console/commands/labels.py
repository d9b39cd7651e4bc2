"""`iyu labels`: labels that come after the scores, and what they say of the models."""

from pathlib import Path
from typing import Annotated, Any

import typer

from iyu.console.terminal.options import DatabaseOption, JsonOption

group = typer.Typer(help="Labels that come later: import them, and measure models on them.")
group.info.no_args_is_help = True


#: Columns that are shown, with headings that fit a terminal of eighty characters.
_IN_ALL = {
    "model_version": "model",
    "reviews": "reviews",
    "accuracy": "accuracy",
    "auc": "AUC",
    "log_loss": "log loss",
    "calibration_error": "cal. error",
}
_BY_WEEK = {
    "week": "week",
    "source": "source",
    "model_version": "model",
    "reviews": "reviews",
    "accuracy": "accuracy",
    "auc": "AUC",
    "calibration_gap": "cal. gap",
}
_NAMES = ("week", "source", "model")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="labels")


@group.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines or Parquet.")],
    source: Annotated[
        str | None, typer.Option(help="Of all reviews in the file; else its column `source`.")
    ] = None,
    id_column: Annotated[str, typer.Option(help="The column of ids.")] = "review_id",
    label_column: Annotated[
        str, typer.Option(help="The column of labels: 1 positive, 0 negative.")
    ] = "label",
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Store labels of reviews that are stored; a label counts for the text that stands now.

    A label of a review that is not here is left out and counted.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.output import print_json
    from iyu.console.trust.import_labels import import_labels
    from iyu.console.trust.label_file import LabelColumns, read_labels

    settings = load_settings(database_url=database)
    given = read_labels(file, LabelColumns(label_column, id_column), source)
    with open_database(settings.database) as engine:
        imported = import_labels(engine, given)
    if as_json:
        print_json({"stored": imported.stored, "unknown": imported.unknown})
        return
    typer.echo(f"{imported.stored:,} labels are stored")
    if imported.unknown:
        typer.echo(
            f"{imported.unknown:,} are of reviews that are not stored here, and were left out; "
            "submit the reviews first, or check --source and --id-column"
        )


@group.command()
def quality(
    source: Annotated[str | None, typer.Option(help="Only reviews of this source.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Only this model version, or how it begins.")
    ] = None,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Measure each model on the labels: accuracy, AUC, calibration; in all and by week."""
    from iyu.console.terminal.optional_libraries import require_worker_libraries

    require_worker_libraries(("numpy",))
    from iyu.console.analysis.model_registry import find_version
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.output import print_json
    from iyu.console.trust.label_quality import quality_by_week, quality_in_all
    from iyu.schemas.sql.engine import reading

    settings = load_settings(database_url=database)
    with open_database(settings.database) as engine, reading(engine) as connection:
        version = find_version(connection, model) if model else None
        whole = quality_in_all(connection, source, version)
        weeks = quality_by_week(connection, source, version)
    if as_json:
        print_json({"models": whole, "weeks": weeks}, indent=True)
        return
    _print(whole, weeks)


def _print(whole: list[dict[str, Any]], weeks: list[dict[str, Any]]) -> None:
    from rich.console import Console

    from iyu.console.terminal.output import make_table

    if not whole:
        typer.echo("no label of a scored review is stored; run: iyu labels import FILE")
        return
    for title, rows, shown in (
        ("in all", whole, _IN_ALL),
        ("by week, from Monday", weeks, _BY_WEEK),
    ):
        cells = ([row[name] for name in shown] for row in rows)
        right = [heading for heading in shown.values() if heading not in _NAMES]
        Console().print(make_table(list(shown.values()), cells, right=right, title=title))
