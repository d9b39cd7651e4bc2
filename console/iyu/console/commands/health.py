"""`iyu health`: check broker, database and model, or this machine's worker."""

from typing import Annotated

import typer

from iyu.console.exit_codes import FAILED, SIDE_DOWN
from iyu.console.terminal.options import JsonOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(health)


def health(
    live: Annotated[
        bool, typer.Option("--live", help="Check only that this machine's worker is alive.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check that broker, database and model are ready; exit code 3 if one is not.

    With --live, check that this machine's worker is alive: by its heartbeat file, whatever broker
    and database do; exit code 1 if not.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.health import liveness, readiness
    from iyu.console.terminal.output import print_json

    found = liveness() if live else readiness(load_settings())
    if as_json:
        print_json({name: trouble or "ok" for name, trouble in found.items()})
    else:
        for name, trouble in found.items():
            typer.echo(f"{name}: {trouble or 'ok'}")
    if any(found.values()):
        raise typer.Exit(FAILED if live else SIDE_DOWN)
