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
        *_suspect_lines(found),
        ("model", found.model or "none has scored yet"),
        *_feed_lines(found),
        *lines,
    ]


def _feed_lines(found: "Status") -> list[tuple[str, str]]:
    lines = []
    if found.feed_lag_seconds is not None:
        held = f"{found.feed_held_back:,} events wait for a transaction that is still running"
        lines.append(("results feed", f"{held} ({found.feed_lag_seconds:,.0f} s)"))
    if found.failing_webhooks:
        lines.append(("webhooks", f"{found.failing_webhooks:,} failing; see `iyu webhooks list`"))
    return lines


def _suspect_lines(found: "Status") -> list[tuple[str, str]]:
    """What an operator should look at; no line while all is well."""
    lines = []
    if found.failing_chunks:
        tried = "failed, and are tried again; see the workers' logs"
        lines.append(("failing chunks", f"{found.failing_chunks:,} {tried}"))
    if found.future_times:
        why = "chunks came from clocks that are fast; they count as of their arrival"
        lines.append(("future times", f"{found.future_times:,} {why}"))
    return lines


def _broker_lines(found: "Status") -> list[tuple[str, str]]:
    lines = [("broker", found.broker_error)] if found.broker_error else []
    if found.unacknowledged is None:
        return lines
    lengths = ", ".join(f"{name} {count:,}" for name, count in found.messages.items())
    lines += [("messages", lengths), ("unacknowledged", f"{found.unacknowledged:,}")]
    if found.misdirected:
        warning = f"{found.misdirected:,} in the queue `celery`, which nobody serves"
        lines.append(("misdirected", f"{warning}: their publisher named no queue"))
    return lines
