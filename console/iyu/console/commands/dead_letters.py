"""`iyu dead-letters`: reviews that could not be scored, listed, shown, replayed, exported."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iyu.console.terminal.options import JsonOption

if TYPE_CHECKING:
    from iyu.schemas.ledger.replay import Choice

#: Greatest id that a database can hold.
MAX_ID = 2**63 - 1

Ids = Annotated[
    list[int] | None,
    typer.Argument(metavar="[ID]...", max=MAX_ID, help="As `list` shows them."),
]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="For example killed-worker.")]
SourceOption = Annotated[str | None, typer.Option("--source", help="Of this source only.")]
Replayed = Annotated[bool, typer.Option("--replayed", help="Also those that were replayed.")]

#: What `list` shows of a dead letter: never its text.
COLUMNS = ("id", "reason", "source", "review_id", "seen", "last_seen_at", "error")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(letters, name="dead-letters")


letters = typer.Typer(help="Reviews that could not be scored: list, show, replay, export.")
letters.info.no_args_is_help = True


@letters.command("list")
def list_(
    reason: ReasonOption = None,
    source: SourceOption = None,
    replayed: Replayed = False,
    limit: Annotated[int, typer.Option(min=1, help="Show so many at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List dead letters, oldest first, without their texts."""
    from rich.console import Console

    from iyu.console.terminal.output import make_table, print_json

    found = _find(_choice((), reason, source, replayed, limit))
    if as_json:
        print_json(found)
        return
    shown = [letter | {"last_seen_at": letter["last_seen_at"][:19]} for letter in found]
    rows = [[letter[name] for name in COLUMNS] for letter in shown]
    Console().print(make_table(COLUMNS, rows) if found else "no dead letters")


@letters.command()
def show(letter_id: Annotated[int, typer.Argument(metavar="ID", max=MAX_ID)]) -> None:
    """Show one dead letter whole, its text included."""
    from iyu.console.terminal.safe_text import visible
    from iyu.schemas.contract.errors import InputError

    found = _find(_choice((letter_id,), None, None, True, 1))
    if not found:
        raise InputError(f"there is no dead letter {letter_id}; iyu dead-letters list shows them")
    for name, value in found[0].items():
        if value is not None:
            typer.echo(visible(f"{name}: {value}"))


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
        raise InputError("name the dead letters: ids, --reason, --source, or --all")
    done = replay_and_publish(load_settings(), _choice(ids or (), reason, source, False, None))
    typer.echo(f"{done.reviews} replayed in {done.chunks} chunks")
    if done.without_review:
        typer.echo(f"{done.without_review} hold no review: export, correct, submit them", err=True)
    if done.unpublished:
        typer.echo(f"{done.unpublished}: the sweeper will publish them", err=True)


@letters.command()
def export(
    file: Annotated[str, typer.Argument(help="JSON Lines; - writes to standard output.")] = "-",
    reason: ReasonOption = None,
    source: SourceOption = None,
    replayed: Replayed = False,
) -> None:
    """Write dead letters whole, one JSON object a line."""
    from iyu.console.terminal.output import open_to_write, print_json

    found = _find(_choice((), reason, source, replayed, None))
    if file == "-":
        for letter in found:
            print_json(letter)
        return
    with open_to_write(Path(file)) as lines:
        for letter in found:
            print_json(letter, file=lines)
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
    from datetime import datetime

    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.schemas.ledger.replay import find
    from iyu.schemas.sql.engine import reading

    with open_database(load_settings().database) as engine, reading(engine) as connection:
        found = find(connection, choice)
    return [
        {k: v.isoformat() if isinstance(v, datetime) else v for k, v in letter.items()}
        for letter in found
    ]
