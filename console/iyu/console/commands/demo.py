"""`iyu demo`: a file of reviews that ships, scored end to end on this machine."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    data: Annotated[Path, typer.Option(help="The folder for database and logs.")] = Path(
        "demo-data"
    ),
    keep: Annotated[
        bool, typer.Option("--keep/--discard", help="Keep the database for queries.")
    ] = True,
) -> None:
    """Score a file of reviews end to end here (Redis, worker, SQLite), and show why."""
    import shutil

    from rich.console import Console

    from iyu.console.demo.report import report
    from iyu.console.demo.run import score_demo_file
    from iyu.console.terminal.optional_libraries import require_worker_libraries

    require_worker_libraries()

    console = Console()

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    folder = score_demo_file(data, say)
    report(folder, console, kept=keep)
    if not keep:
        shutil.rmtree(folder.path)
