"""`iyu health`: whether this installation can work now."""

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(health)


def health(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether broker and database answer; exit code 3 if one does not."""
    from iyu.environment import load_settings
    from iyu.readiness import readiness

    found = readiness(load_settings())
    if as_json:
        typer.echo(json.dumps({name: trouble or "ok" for name, trouble in found.items()}))
    else:
        for name, trouble in found.items():
            typer.echo(f"{name}: {trouble or 'ok'}")
    if any(found.values()):
        raise typer.Exit(3)
