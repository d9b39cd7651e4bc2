"""`iyu sql`: ask the database, also where no SQL client is installed."""

import csv
import json
import sys
from collections.abc import Iterable
from decimal import Decimal
from itertools import islice
from typing import Annotated, Any

import typer

#: Rows a terminal table shows; --csv and --json give all.
TABLE_ROWS = 200


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(sql)


def sql(
    query: Annotated[str, typer.Argument(metavar="'SELECT …'", help="One query.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a row.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a heading.")] = False,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="Instead of IYU_DATABASE_URL.")
    ] = None,
) -> None:
    """Ask the database a SELECT and print the rows; nothing can be changed.

    The views to ask are review_scores, token_heat and keyword_importance.
    """
    from iyu.console.analysis.read_only_query import asked, column_names
    from iyu.console.local.env_file import load_settings
    from iyu.schemas.sql.engine import check, connected

    with connected(load_settings(database_url=database).database) as engine:
        check(engine)
        with asked(engine, query) as rows:
            names = column_names(rows)
            if as_json:
                _print_json(names, rows)
            elif as_csv:
                writer = csv.writer(sys.stdout)
                writer.writerow(names)
                writer.writerows(rows)
            else:
                _print_table(names, rows)


def _print_json(names: Iterable[str], rows: Iterable[Any]) -> None:
    for row in rows:
        record = dict(zip(names, row, strict=True))
        typer.echo(json.dumps(record, ensure_ascii=False, default=_as_json))


def _as_json(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)


def _print_table(names: Iterable[str], rows: Iterable[Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*names)
    more = iter(rows)
    for row in islice(more, TABLE_ROWS):
        table.add_row(*(Text(_shown(value)) for value in row))
    console = Console()
    console.print(table)
    if next(more, None) is not None:
        console.print(f"Only the first {TABLE_ROWS} rows; --csv or --json gives all.")


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)
