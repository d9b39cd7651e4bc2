"""`iyu dead-letters`: what could not be scored, listed, shown, replayed, exported."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from iyu.schemas.ledger.replay import Choice

Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="As `list` shows them.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="For example killed-worker.")]
SourceOption = Annotated[str | None, typer.Option("--source", help="Of this source only.")]
Replayed = Annotated[bool, typer.Option("--replayed", help="Also those that were replayed.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(letters, name="dead-letters")


letters = typer.Typer(help="What could not be scored: list, show, replay, export.")
letters.info.no_args_is_help = True


@letters.command("list")
def list_(
    reason: ReasonOption = None,
    source: SourceOption = None,
    replayed: Replayed = False,
    limit: Annotated[int, typer.Option(min=1, help="Show so many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List dead letters, oldest first, without their texts."""
    found = _find(_choice((), reason, source, replayed, limit))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    columns = ("id", "reason", "source", "review_id", "seen", "last_seen_at", "error")
    table = Table(*columns, box=None, pad_edge=False)
    for letter in found:
        shown = letter | {"last_seen_at": letter["last_seen_at"][:19]}
        table.add_row(*("" if shown[name] is None else str(shown[name]) for name in columns))
    Console().print(table if found else "no dead letters")


@letters.command()
def show(letter_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Show one dead letter whole, its text included."""
    from iyu.schemas.contract.errors import InputError

    found = _find(_choice((letter_id,), None, None, True, 1))
    if not found:
        raise InputError(f"there is no dead letter {letter_id}; iyu dead-letters list shows them")
    for name, value in found[0].items():
        if value is not None:
            typer.echo(f"{name}: {value}")


@letters.command()
def replay(
    ids: Ids = None,
    every: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    reason: ReasonOption = None,
    source: SourceOption = None,
) -> None:
    """Submit dead letters again; one that fails again is open again.

    A letter that holds no review (a broken message, a rejected text) cannot be replayed: export
    it, correct it, submit it.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.replay_dead_letters import replay_and_publish
    from iyu.schemas.contract.errors import InputError

    if not (ids or every or reason or source):
        raise InputError("say which: ids, --reason, --source, or --all")
    done = replay_and_publish(load_settings(), _choice(ids or (), reason, source, False, None))
    typer.echo(f"{done.reviews} replayed in {done.chunks} chunks")
    if done.without_review:
        typer.echo(f"{done.without_review} hold no review: export, correct, submit them", err=True)
    if done.unpublished:
        typer.echo(f"{done.unpublished}: the sweeper will publish them", err=True)


@letters.command()
def export(
    file: Annotated[str, typer.Argument(help="JSON Lines; - writes to stdout.")] = "-",
    reason: ReasonOption = None,
    source: SourceOption = None,
    replayed: Replayed = False,
) -> None:
    """Write dead letters whole, one JSON object a line."""
    found = _find(_choice((), reason, source, replayed, None))
    lines = "".join(json.dumps(letter, ensure_ascii=False) + "\n" for letter in found)
    if file == "-":
        typer.echo(lines, nl=False)
        return
    Path(file).write_text(lines, encoding="utf-8")
    typer.echo(f"{len(found)} written to {file}", err=True)


def _choice(
    ids: list[int] | tuple[int, ...],
    reason: str | None,
    source: str | None,
    replayed: bool,
    limit: int | None,
) -> "Choice":
    from iyu.schemas.contract.errors import InputError
    from iyu.schemas.contract.review import Reason
    from iyu.schemas.ledger.replay import Choice

    if reason is not None and reason not in set(Reason):
        raise InputError(f"there is no reason {reason!r}; one of: {', '.join(Reason)}")
    known = Reason(reason) if reason is not None else None
    return Choice(ids, known, source, replayed, limit)


def _find(choice: "Choice") -> list[dict[str, Any]]:
    from contextlib import ExitStack
    from datetime import datetime

    from iyu.console.local.env_file import load_settings
    from iyu.schemas.ledger.replay import find
    from iyu.schemas.sql.engine import check, connect, reading

    with ExitStack() as stack:
        engine = connect(load_settings().database)
        stack.callback(engine.dispose)
        check(engine)
        found = find(stack.enter_context(reading(engine)), choice)
    return [
        {k: v.isoformat() if isinstance(v, datetime) else v for k, v in letter.items()}
        for letter in found
    ]
