"""What commands write: JSON for programs, tables for people, and files."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import IO, TYPE_CHECKING

import typer

from iyu.console.terminal.safe_text import escaped_json, is_terminal, visible

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


def print_json(value: object, *, indent: bool = False, file: IO[str] | None = None) -> None:
    """Print one JSON value in UTF-8, on one line or indented over several."""
    import orjson

    # Names of SQLAlchemy's columns are a subclass of str; times keep the form of SQL.
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
    if indent:
        options |= orjson.OPT_INDENT_2
    line = orjson.dumps(value, default=_json_value, option=options)
    typer.echo(escaped_json(line.decode()) if is_terminal(file) else line, file=file)


def make_table(
    columns: Sequence[str],
    rows: Iterable[Iterable[object]],
    *,
    right: Collection[str] = (),
    title: str | None = None,
) -> "Table":
    """Return a table of any values; the columns named in `right` hold figures."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    title = title and visible(title)
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(Text(visible(name)), justify="right" if name in right else "left")
    for row in rows:
        table.add_row(*map(_cell, row))
    return table


@contextmanager
def open_to_write(path: Path) -> Iterator[IO[str]]:
    """Give a UTF-8 file to write to, replacing one that is there.

    Raises InputError where it cannot be written.
    """
    from iyu.schemas.contract.errors import InputError

    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}; name another file"
        ) from error
    with file:
        yield file


def _cell(value: object) -> "Text":
    # As Text, not as a string: a `[` in a review is no markup.
    from rich.text import Text

    if value is None:
        return Text("")
    return Text(f"{value:.4f}" if isinstance(value, float) else visible(str(value)))


def _json_value(value: object) -> object:
    # Of a query: a Decimal of PostgreSQL, a time, an array.
    return float(value) if isinstance(value, Decimal | Real) else str(value)
