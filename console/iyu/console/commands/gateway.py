"""`iyu gateway`: reviews in and results out over HTTP."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from iyu.console.gateway.tokens import Token

#: Beside the page's 8321.
PORT = 8322
#: Days of the longest time that a token may be given.
MAX_DAYS = 3_650
Database = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="Instead of IYU_DATABASE_URL.")
]

gateway = typer.Typer(invoke_without_command=True)
tokens = typer.Typer(help="Who may use it: a token is of one source.", no_args_is_help=True)
gateway.add_typer(tokens, name="tokens")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(gateway, name="gateway")


@gateway.callback()
def serve_gateway(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0 behind a reverse proxy with TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = PORT,
    open_source: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="For a trial on this machine: ask for no token, every request is of this source.",
        ),
    ] = None,
    database: Database = None,
) -> None:
    """Take reviews and give results over HTTP, until Ctrl-C or TERM: docs/gateway.md.

    POST /reviews answers 202 once the reviews are in the ledger: none of them is lost from then on.
    Each caller needs a token of its source:

        iyu gateway tokens add shop

    GET /openapi.json describes every address.
    """
    if context.invoked_subcommand is None:
        _serve(host, port, open_source, database)


def _serve(host: str, port: int, open_source: str | None, database: str | None) -> None:
    import signal

    from iyu.console.local.env_file import load_settings
    from iyu.console.terminal.optional_libraries import require_web_libraries
    from iyu.schemas.contract.logs import log_as_json

    require_web_libraries()
    from iyu.console.gateway.server import serve

    settings = load_settings(database_url=database)
    if settings.log == "json":
        log_as_json()
    else:
        logging.basicConfig(format="iyu gateway: %(message)s", level=logging.WARNING)
    signal.signal(signal.SIGTERM, _stop)  # uvicorn raises it again once everything is finished
    serve(settings, host, port, open_source, lambda line: typer.echo(f"iyu gateway: {line}"))


@tokens.command()
def add(
    source: Annotated[str, typer.Argument(help="The source whose reviews it is for.")],
    may: Annotated[
        list[str] | None,
        typer.Option(help="submit, read or forget; repeatable.", show_default="submit and read"),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=MAX_DAYS, help="It works for so many days.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="What it is for, for your own list.")] = None,
    database: Database = None,
) -> None:
    """Make a token and print it: it is shown once, and the database keeps only its hash."""
    from iyu.console.gateway.tokens import USUAL_RIGHTS, Right, add_token
    from iyu.schemas.contract.review import utc_now
    from iyu.schemas.sql.engine import writing

    rights = may or [str(right) for right in USUAL_RIGHTS]
    if unknown := set(rights) - set(Right):
        raise typer.BadParameter(f"--may takes submit, read or forget, not {min(unknown)!r}")
    expires_at = None if days is None else utc_now() + timedelta(days=days)
    with _engine(database) as engine, writing(engine) as connection:
        token = add_token(connection, source, list(map(Right, rights)), expires_at, note)
    typer.echo(token)


@tokens.command(name="list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    database: Database = None,
) -> None:
    """List the tokens by their ids; the tokens themselves are not kept."""
    import json

    from iyu.console.gateway.tokens import list_tokens
    from iyu.console.terminal.safe_text import visible
    from iyu.schemas.sql.engine import reading

    with _engine(database) as engine, reading(engine) as connection:
        found = list_tokens(connection)
    for token in found:
        shown = _summary(token)
        typer.echo(json.dumps(shown) if as_json else visible(_line(shown)))
    if not found and not as_json:
        typer.echo("no tokens; `iyu gateway tokens add SOURCE` makes one")


@tokens.command()
def remove(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `tokens list` shows it.")],
    database: Database = None,
) -> None:
    """Remove a token: within five seconds no gateway takes it any more."""
    from iyu.console.gateway.tokens import remove_token
    from iyu.schemas.sql.engine import writing

    with _engine(database) as engine, writing(engine) as connection:
        remove_token(connection, token_id)
    typer.echo(f"{token_id} is removed")


@contextmanager
def _engine(database: str | None) -> Iterator["Engine"]:
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database

    with open_database(load_settings(database_url=database).database) as engine:
        yield engine


def _summary(token: "Token") -> dict[str, object]:
    from iyu.schemas.contract.review import utc_now

    return {
        "token_id": token.token_id,
        "source": token.source,
        "rights": sorted(token.rights),
        "created_at": token.created_at.isoformat(timespec="seconds"),
        "expires_at": token.expires_at and token.expires_at.isoformat(timespec="seconds"),
        "is_over": token.is_over(utc_now()),
        "note": token.note,
    }


def _line(shown: dict[str, object]) -> str:
    rights = ", ".join(map(str, shown["rights"])) if isinstance(shown["rights"], list) else ""
    ends = f", {'ended' if shown['is_over'] else 'ends'} {shown['expires_at']}"
    note = f"  {shown['note']}" if shown["note"] else ""
    since = f"since {shown['created_at']}{ends if shown['expires_at'] else ''}"
    return f"{shown['token_id']}  {shown['source']}  may {rights}  ({since}){note}"


def _stop(_number: int, _frame: object) -> None:
    raise typer.Exit(0)
