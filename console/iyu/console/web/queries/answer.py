"""Run one query, and keep beside its rows the very SQL, ready to be copied."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

Record = dict[str, Any]

#: `:name`, but neither a cast (`::date`) nor a time within a literal.
_BOUND: Final = re.compile(r"(?<![:\w]):([a-z_][a-z_0-9]*)")


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows by column name, and the query that gave them."""

    columns: tuple[str, ...]
    rows: Sequence[Record]
    sql: str  # with its values written in
    is_complete: bool = True  # False: the time limit ended it, and rows are what was found by then

    def with_rows(self, rows: Sequence[Record]) -> "Answer":
        """Return the same question with other rows."""
        return replace(self, rows=rows)


class TimeLimit(Exception):
    """A query took longer than its session allows."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        super().__init__("the query took too long; narrow the period, the source or the text")


def run(connection: Connection, sql: str, **values: Any) -> Answer:
    """Run a query with bound values.

    Raises TimeLimit.
    """
    sql = _without_indent(sql)
    try:
        result = connection.execute(text(sql), values)
        columns = tuple(result.keys())
        rows = [_record(columns, row) for row in result]
    except DBAPIError as error:
        if is_time_limit(error):
            raise TimeLimit(written_out(sql, values)) from None
        raise
    return Answer(columns, rows, written_out(sql, values))


def is_time_limit(error: DBAPIError) -> bool:
    """Say whether the database ended a query for its time: both name it differently."""
    cause = type(error.orig).__name__, str(error.orig)
    return cause[0] == "QueryCanceled" or cause[1] == "interrupted"


def written_out(sql: str, values: Mapping[str, Any]) -> str:
    """Return the query as one types it: values in place of their names. Shown, never run by us."""
    return _BOUND.sub(lambda found: _literal(values[found[1]]), sql)


def moment(connection: Connection, time: datetime) -> str:
    """Return a time as both a bound value and a literal of this database."""
    zone = "" if connection.dialect.name == "sqlite" else "+00"
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") + zone


def contains(connection: Connection, column: str, name: str) -> str:
    """Return the condition that a column holds a bound text, letter case and wildcards as typed."""
    function = "instr" if connection.dialect.name == "sqlite" else "strpos"
    return f"{function}({column}, :{name}) > 0"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _record(columns: Sequence[str], row: Any) -> Record:
    return {name: _plain(name, value) for name, value in zip(columns, row, strict=True)}


def _plain(name: str, value: Any) -> Any:
    """Return what both databases give: SQLite keeps times as text, PostgreSQL sums exactly."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and name.endswith("_at"):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value


def _without_indent(sql: str) -> str:
    lines = [line.rstrip() for line in sql.strip().splitlines()]
    margin = min((len(x) - len(x.lstrip()) for x in lines[1:] if x.strip()), default=0)
    return "\n".join(lines[:1] + [line[margin:] for line in lines[1:] if line.strip()])
