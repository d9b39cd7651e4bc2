"""`iyu export`: reviews, tokens or words as a file."""

from pathlib import Path
from typing import Annotated

import typer

from iyu.console.terminal.options import DatabaseOption, SinceOption, UntilOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    file: Annotated[Path, typer.Argument(help="Its name ends in .csv, .jsonl or .parquet.")],
    what: Annotated[
        str, typer.Option(metavar="reviews|tokens|words", help="What one row is.")
    ] = "reviews",
    source: Annotated[list[str] | None, typer.Option(help="Only this source; repeatable.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    by: Annotated[
        str,
        typer.Option(metavar="written|submitted", help="Which time --since and --until mean."),
    ] = "written",
    excel: Annotated[
        bool,
        typer.Option("--excel", help="A CSV that spreadsheets open, without cells as formulas."),
    ] = False,
    database: DatabaseOption = None,
) -> None:
    """Write scored reviews, their tokens with heat, or words with summed heat into FILE.

    Every row has the model's version and the heatmap's method. The file appears once it is whole.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.export_rows import By, Chosen, What, export_rows
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.progress_bar import progress_bar

    if what not in set(What):
        raise typer.BadParameter("give reviews, tokens or words", param_hint="--what")
    if by not in set(By):
        raise typer.BadParameter("give written or submitted", param_hint="--by")
    chosen = Chosen(What(what), tuple(source or ()), since, until, By(by))
    with (
        open_database(load_settings(database_url=database).database) as engine,
        progress_bar("exported", None, quiet=False) as bar,
    ):
        rows = export_rows(engine, file, chosen, excel=excel, on_progress=bar.update)
    typer.echo(f"{rows:,} {what} are in {file}")
