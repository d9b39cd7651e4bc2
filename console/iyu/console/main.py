"""The command line `iyu`: one file per command under `commands/`, registered here by name.

Every error that iyu raises on purpose becomes one line on stderr and an exit code.
"""

import errno
from importlib import import_module, metadata
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from iyu.console.exit_codes import FAILED, INTERRUPTED, WRONG_USE, exit_code
from iyu.console.terminal.safe_text import visible
from iyu.schemas.contract.errors import IyuError

#: Modules of `iyu.console.commands` in the order of `iyu --help`. Each has `register(app)` and
#: imports heavy libraries inside its functions only, so that help stays fast.
COMMANDS: Final = (
    "submit",
    "ingest",
    "status",
    "up",
    "worker",
    "sql",
    "results",
    "export",
    "webhooks",
    "gateway",
    "keywords",
    "verify",
    "drift",
    "labels",
    "words",
    "demo",
    "score",
    "train",
    "evaluate",
    "evaluate_behaviour",
    "evaluate_explanations",
    "rescore",
    "models",
    "health",
    "metrics",
    "dead_letters",
    "forget",
    "db",
    "web",
    "report",
)


class Commands(TyperGroup):
    """The commands; a foreseen error becomes one line on stderr."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a foreseen error or Ctrl-C ends it with one line and no traceback."""
        try:
            return super().invoke(ctx)
        except IyuError as error:
            typer.echo(f"iyu: error: {_with_notes(str(error), error)}", err=True)
            raise typer.Exit(exit_code(error)) from None
        except OSError as error:  # a full disk, a folder that may not be written
            if error.errno == errno.EPIPE:  # the reader of our output is closed, as with `| head`
                raise
            typer.echo(f"iyu: error: {_with_notes(str(error), error)}", err=True)
            raise typer.Exit(FAILED) from None
        except UnicodeEncodeError as error:  # an option with bytes that are not UTF-8
            if error.reason != "surrogates not allowed":
                raise
            typer.echo("iyu: error: an argument is not valid UTF-8; type it again", err=True)
            raise typer.Exit(WRONG_USE) from None
        except KeyboardInterrupt as interrupt:
            typer.echo(_with_notes("iyu: stopped", interrupt), err=True)
            raise typer.Exit(INTERRUPTED) from None


def _with_notes(message: str, error: BaseException) -> str:
    # A message may name what a file holds: a column, an id.
    return visible("; ".join((message, *getattr(error, "__notes__", ()))))


def _version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        typer.echo(f"iyu {metadata.version('iyu')}")
    except metadata.PackageNotFoundError:
        typer.echo("iyu, run from a folder without being installed")
    raise typer.Exit


def make_cli() -> typer.Typer:
    """Return the command line with every command of COMMANDS."""
    cli = typer.Typer(
        cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )

    @cli.callback()
    def _iyu(
        version: Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Show version.")
        ] = False,
    ) -> None:
        """Score Korean reviews in bulk, and store why beside every score."""

    for name in COMMANDS:
        import_module(f"iyu.console.commands.{name}").register(cli)
    return cli


app = make_cli()


def main() -> None:
    """Run the command line; Ctrl-C ends it with 130."""
    app(prog_name="iyu")


if __name__ == "__main__":
    main()
