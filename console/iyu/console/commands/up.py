"""`iyu up`: everything on this machine, in one folder."""

import shlex
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up(
    data: Annotated[
        Path | None,
        typer.Option(help="The folder that keeps everything.", show_default="./iyu-data"),
    ] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Worker processes.")] = None,
    model: Annotated[str | None, typer.Option(help="A model's name or folder.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Redis' port; default: a free one.")
    ] = None,
    web_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="The page's port; default: 8321, or a free one."),
    ] = None,
) -> None:
    """Run Redis, a SQLite database, a worker, the sweeper and the page here, until Ctrl-C.

    Reviews that are pending when it stops are scored after the next `iyu up`.
    """
    from iyu.console.local.data_folder import DataFolder, run_locally
    from iyu.console.local.env_file import DEFAULT_FOLDER, FILE_NAME
    from iyu.console.local.page import choose_page_port
    from iyu.console.operations.recount import recount_marked
    from iyu.console.terminal.optional_libraries import require_worker_libraries
    from iyu.schemas.sql.engine import connected

    require_worker_libraries()

    def say(line: str) -> None:
        typer.echo(f"iyu up: {line}", err=True)

    data = data or DEFAULT_FOLDER
    page_port = choose_page_port(web_port)
    running = run_locally(
        DataFolder(data), say, concurrency=concurrency, model=model, port=port, page_port=page_port
    )
    with running as (supervisor, variables):
        typer.echo(
            f"Redis, worker and sweeper run; the database is {variables['IYU_DATABASE_URL']}"
        )
        if data == DEFAULT_FOLDER:
            typer.echo("Other commands find them when run from this folder. From elsewhere, first:")
        else:
            typer.echo("In another terminal, first:")
        # The file holds the password of Redis; it is not printed.
        typer.echo(f"    . {shlex.quote(str(data.resolve() / FILE_NAME))}")
        typer.echo("Then, for example:  iyu submit reviews.csv --wait")
        if page_port:
            typer.echo(f"Look at the reviews:  http://127.0.0.1:{page_port}/")
        else:
            typer.echo("The page is not served; it needs: pip install 'iyu[web]'")
        typer.echo("Ctrl-C stops cleanly.")
        with connected(variables["IYU_DATABASE_URL"]) as engine:
            recount_marked(engine)  # after an upgrade
        supervisor.watch()
        say("stopping: chunks that are running are finished first")
    say("stopped")
