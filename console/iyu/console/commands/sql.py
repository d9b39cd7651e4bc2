"""`iyu sql`: query the database, also where no SQL client is installed."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iyu.console.terminal.options import DatabaseOption

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Rows a terminal table shows; --csv and --json give all.
TABLE_ROWS = 200


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(sql)


def sql(
    query: Annotated[str, typer.Argument(metavar="'SELECT …'", help="One query.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a row.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a heading.")] = False,
    for_excel: Annotated[
        bool, typer.Option("--excel", help="CSV that Excel opens as text, formulas disarmed.")
    ] = False,
    timeout: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds after which the query is stopped.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Run a SELECT and print the rows; nothing can be changed.

    Start with the views review_scores (one row a review), token_heat (one row a word of a
    review; word_heat: what stands between blanks), keyword_importance (one row a word),
    keyword_trend (one row a word and day), results (what was stored, in the order in which it may
    be read), labelled_scores and model_quality (labels that came later).
    """
    from iyu.console.analysis.read_only_query import column_names, read_only_query
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.csv_output import write_csv

    settings = load_settings(database_url=database)
    with (
        open_database(database or settings.reader_database) as engine,
        read_only_query(engine, query, seconds=timeout) as rows,
    ):
        _warn_superuser(rows.connection)
        names = column_names(rows)
        if as_json:
            _print_json(names, rows)
        elif as_csv or for_excel:
            write_csv(names, rows, for_excel=for_excel)
        else:
            _print_table(names, rows)


def _warn_superuser(connection: "Connection") -> None:
    from iyu.console.analysis.read_only_connection import is_superuser

    if is_superuser(connection):
        typer.echo(
            "iyu sql: this session is a superuser's: no query changes a row, but its functions can "
            "act on the server; see `iyu db reader-role`",
            err=True,
        )


def _print_json(names: Sequence[str], rows: Iterable[Any]) -> None:
    from iyu.console.terminal.output import print_json

    for row in rows:
        print_json(dict(zip(names, row, strict=True)))


def _print_table(names: Sequence[str], rows: Iterable[Any]) -> None:
    from rich.console import Console

    from iyu.console.terminal.output import make_table

    remaining = iter(rows)
    table = make_table(names, islice(remaining, TABLE_ROWS))
    console = Console()
    console.print(table)
    if next(remaining, None) is not None:
        console.print(f"Only the first {TABLE_ROWS} rows; --csv or --json gives all.")
