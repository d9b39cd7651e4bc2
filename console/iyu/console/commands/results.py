"""`iyu results`: everything that was scored since last time, without a gap."""

import json
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from iyu.schemas.results import Cursor, Result


class Label(StrEnum):
    """A score's label."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(results)


def results(
    after: Annotated[
        str | None,
        typer.Option(
            metavar="CURSOR",
            help="Begin behind this line's cursor; 0 is the beginning, now is the present end.",
        ),
    ] = None,
    consumer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Keep the cursor in the database under this name."),
    ] = None,
    follow: Annotated[bool, typer.Option(help="Wait for more, until Ctrl-C.")] = False,
    source: Annotated[list[str] | None, typer.Option(help="Only this source; repeatable.")] = None,
    label: Annotated[Label | None, typer.Option(help="Only scores with this label.")] = None,
    below: Annotated[
        float | None, typer.Option(help="Only scores with a probability below this.")
    ] = None,
    above: Annotated[
        float | None, typer.Option(help="Only scores with a probability above this.")
    ] = None,
    heat: Annotated[bool, typer.Option("--with-heat", help="Add the heat of every token.")] = False,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="Instead of IYU_DATABASE_URL.")
    ] = None,
) -> None:
    """Print what was stored after a cursor, one JSON object a line, in an order without gaps.

    Each line has an event_id, to drop doubles by, and a cursor: read on with --after CURSOR. With
    --consumer the database remembers it, moved on only after the lines were written.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.follow_results import Reading, follow_results, present_end
    from iyu.schemas.results import Filter
    from iyu.schemas.sql.engine import check, connected

    if after is None and consumer is None:
        raise typer.BadParameter("give --after CURSOR (0 is the beginning) or --consumer NAME")
    with connected(load_settings(database_url=database).database) as engine:
        check(engine)
        begin = None if after is None else _cursor(after, lambda: present_end(engine))
        wanted = Filter(tuple(source or ()), label and label.value, below, above)
        follow_results(engine, Reading(wanted, begin, consumer, follow, heat), _print)


def _cursor(text: str, end: Callable[[], "Cursor"]) -> "Cursor":
    from iyu.schemas.results import Cursor

    return end() if text == "now" else Cursor.parse(text)


def _print(lines: "Sequence[Result]") -> None:
    from iyu.console.terminal.safe_text import escaped_json, is_terminal

    on_terminal = is_terminal()
    for line in lines:
        shown = json.dumps(line.to_dict(), ensure_ascii=False)
        sys.stdout.write((escaped_json(shown) if on_terminal else shown) + "\n")
    sys.stdout.flush()  # a consumer's cursor moves next: what it stands behind must be out
