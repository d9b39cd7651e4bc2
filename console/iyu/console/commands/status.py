"""`iyu status`: pending reviews, how fast they are scored, and dead letters."""

from typing import TYPE_CHECKING, Annotated

import typer

from iyu.console.exit_codes import SIDE_DOWN
from iyu.console.terminal.options import JsonOption

if TYPE_CHECKING:
    from rich.table import Table

    from iyu.console.operations.status import Status

#: Seconds between two readings with --watch.
WATCH_EVERY = 1.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Refresh until Ctrl-C.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show pending reviews, the rate, and dead letters; exit code 3 if a side is down."""
    from rich.console import Console

    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.status import collect
    from iyu.console.terminal.output import print_json

    settings = load_settings()
    if watch and not as_json:
        _watch()
    found = collect(settings)
    if as_json:
        print_json(found.as_json())
    else:
        Console().print(_table(found))
    if found.database_error is not None:
        raise found.database_error
    raise typer.Exit(SIDE_DOWN if found.broker_error else 0)


def _watch() -> None:
    from threading import Event

    from rich.live import Live

    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.status import collect
    from iyu.schemas.sql.engine import connected

    settings = load_settings()
    pause = Event()
    with (
        connected(settings.database) as engine,
        Live(_table(collect(settings, engine)), auto_refresh=False) as live,
    ):
        while not pause.wait(WATCH_EVERY):
            live.update(_table(collect(settings, engine)), refresh=True)


def _table(found: "Status") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from iyu.console.terminal.safe_text import visible

    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in _lines(found):
        table.add_row(name, Text(visible(value)))
    return table


def _lines(found: "Status") -> list[tuple[str, str]]:
    lines = _broker_lines(found)
    if found.database_error is not None:
        return [*lines, ("database", "does not answer as it should")]
    by_queue = ", ".join(f"{name} {count:,}" for name, count in sorted(found.queued.items()))
    drain = f"about {found.drain_seconds:,.0f} s" if found.drain_seconds else "-"
    return [
        ("pending reviews", f"{found.pending:,}" + (f" ({by_queue})" if by_queue else "")),
        ("being scored", f"{found.running:,}"),
        ("rate", f"{found.scored_last_minute / 60:,.0f} reviews/s over the last minute"),
        ("time to drain", drain),
        ("chunks done", f"{found.done_chunks:,}"),
        ("dead letters", f"{found.dead_letters:,}"),
        ("model", found.model or "none has scored yet"),
        *lines,
    ]


def _broker_lines(found: "Status") -> list[tuple[str, str]]:
    if found.broker_error:
        return [("broker", found.broker_error)]
    if found.unacknowledged is None:
        return []
    lengths = ", ".join(f"{name} {count:,}" for name, count in found.messages.items())
    return [("messages", lengths), ("unacknowledged", f"{found.unacknowledged:,}")]
