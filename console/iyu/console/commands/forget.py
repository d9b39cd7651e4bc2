"""`iyu forget`: erase reviews for good."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iyu.console.exit_codes import CHECK_FAILED
from iyu.console.terminal.options import DatabaseOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(forget)


def forget(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Where the reviews came from.")],
    review_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Their ids.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="A file with one id a line; - reads stdin."),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="CONDITION", help="All stored reviews that a SQL condition on `reviews` names."
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Erase nothing; report what is left, exit code 4 if any is."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before --where erases.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Erase reviews: texts, scores, heat, dead letters, and what of them is still on its way.

    A review that is submitted again later is a new review. docs/privacy.md says what is kept
    outside the database, and how long.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.forget_reviews import find_all_traces
    from iyu.console.operations.open_database import open_database
    from iyu.schemas.erasure import forget_all

    with open_database(load_settings(database_url=database).database) as engine:
        ids = _collect(engine, source, review_ids or (), file, where)
        if verify:
            _report_traces(find_all_traces(engine, source, ids), len(ids))
            return
        if where is not None and not yes:
            typer.confirm(f"Erase {len(ids):,} reviews of {source}?", abort=True)
        erased = forget_all(engine, source, ids)
    typer.echo(
        f"{len(ids):,} reviews are forgotten: {erased.stored:,} were stored, "
        f"{erased.pending:,} pending, {erased.letters:,} dead letters"
    )


def _collect(
    engine: "Engine", source: str, given: "Sequence[str]", file: Path | None, where: str | None
) -> list[str]:
    from iyu.console.operations.forget_reviews import chosen_ids, read_ids
    from iyu.schemas.contract.errors import InputError

    if sum((bool(given), file is not None, where is not None)) != 1:
        raise InputError("name the reviews by ids, by --file or by --where: one of the three")
    if where is not None:
        return chosen_ids(engine, source, where)
    return list(given) if file is None else read_ids(str(file))


def _report_traces(traces: dict[str, int], count: int) -> None:
    if not traces:
        typer.echo(f"nothing is left of {count:,} reviews")
        return
    for place, rows in traces.items():
        typer.echo(f"{place}: {rows:,}")
    raise typer.Exit(CHECK_FAILED)
