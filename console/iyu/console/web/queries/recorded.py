"""Keep the SQL that a function runs by itself, values written in."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from sqlalchemy import Connection, event

from iyu.console.web.queries.answer import written_out


@contextmanager
def recorded(connection: Connection) -> Iterator[list[str]]:
    """Give a list that holds every SELECT run on the connection until the end."""
    queries: list[str] = []

    def keep(_c: Any, _cursor: Any, sql: str, values: Any, _context: Any, _many: bool) -> None:
        if sql.startswith("SELECT"):  # not what begins the transaction
            is_positional = isinstance(values, tuple)
            queries.append(_positional(sql, values) if is_positional else _named(sql, values))

    event.listen(connection, "before_cursor_execute", keep)
    try:
        yield queries
    finally:
        event.remove(connection, "before_cursor_execute", keep)


def _positional(sql: str, values: tuple[Any, ...]) -> str:
    numbers = count()
    named = re.sub(r"\?", lambda _: f":p_{next(numbers)}", sql)
    return written_out(named, {f"p_{number}": value for number, value in enumerate(values)})


def _named(sql: str, values: dict[str, Any]) -> str:
    return written_out(re.sub(r"%\((\w+)\)s", r":\1", sql).replace("%%", "%"), values)
