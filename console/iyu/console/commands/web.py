"""`iyu web`: a page over the database."""

from typing import Annotated

import typer

from iyu.console.local.page import USUAL_PORT


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(web)


def web(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = USUAL_PORT,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="IYU_WEB_TOKEN",
            show_envvar=True,
            help="What a reader has to give; needed for any address but this machine's own.",
        ),
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="Instead of IYU_DATABASE_URL.")
    ] = None,
) -> None:
    """Serve a page to look at reviews, words, models and state, until Ctrl-C; it only reads."""
    from iyu.console.local.env_file import load_settings
    from iyu.console.terminal.optional_libraries import require_web_libraries

    require_web_libraries()
    from iyu.console.web.serve import serve

    settings = load_settings(database_url=database)
    serve(settings, host, port, token, lambda at: typer.echo(f"iyu web: {at}", err=True))
