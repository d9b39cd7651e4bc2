"""`iyu health`: whether this installation can work now."""

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(health)


def health(
    live: Annotated[
        bool, typer.Option("--live", help="Ask only whether the worker of this machine lives.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether broker, database and model are ready; exit code 3 if one is not.

    With --live, whether this machine's worker lives: by its heartbeat file, whatever broker and
    database do; exit code 1 if not.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.health import liveness, readiness

    found = liveness() if live else readiness(load_settings())
    if as_json:
        typer.echo(json.dumps({name: trouble or "ok" for name, trouble in found.items()}))
    else:
        for name, trouble in found.items():
            typer.echo(f"{name}: {trouble or 'ok'}")
    if any(found.values()):
        raise typer.Exit(1 if live else 3)
