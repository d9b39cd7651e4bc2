"""Which rows of another system's table can be read, and its columns in a form that can be.

One row with a time that Python does not know (PostgreSQL's `infinity`, a year 20,000), or without a
key, must not keep all the others from being read.
"""

from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    case,
    cast,
    func,
    select,
    type_coerce,
)
from sqlalchemy.types import Date, DateTime, Text

from iyu.schemas.contract.errors import InputError

#: Characters of a text that are read: more than a review may have, so that it is still too long.
MAX_TEXT: Final = 20_000
#: What any zone's Python holds, and, for times of change, an overlap before it.
_FIRST: Final = datetime(2, 1, 2)
_LAST: Final = datetime(9999, 12, 30)
#: A time of writing that iyu refuses, in place of one that cannot be read.
_REFUSED: Final = datetime(1, 1, 3)
_LOOKS_LIKE_TIME: Final = "[0-9][0-9][0-9][0-9]*"


def readable_columns(
    dialect: str, columns: dict[str, ColumnElement[Any]]
) -> dict[str, ColumnElement[Any]]:
    """Return the columns as they are to be selected, by use."""
    found = dict(columns)
    if isinstance(found["text"].type, String | Text):
        found["text"] = func.substr(found["text"], 1, MAX_TEXT)
    if dialect == "postgresql":
        if "deleted" in found and isinstance(found["deleted"].type, Date | DateTime):
            found["deleted"] = cast(found["deleted"], String)
        if "written" in found and isinstance(found["written"].type, Date | DateTime):
            found["written"] = _without_impossible(found["written"])
    elif dialect == "sqlite":  # whatever stands there
        for use in {"deleted", "written"} & found.keys():
            found[use] = type_coerce(found[use], String())
    return found


def readable_rows(
    connection: Connection, columns: dict[str, ColumnElement[Any]]
) -> ColumnElement[bool]:
    """Return the condition on rows that have a key, and a change that can be compared.

    Raises InputError where a column of texts holds no time at all.
    """
    key, changed = columns["key"], columns["changed"]
    kind = changed.type
    usable: ColumnElement[bool]
    if isinstance(kind, Date | DateTime):
        usable = changed.between(_like(kind, _FIRST), _like(kind, _LAST))
    elif isinstance(kind, String):  # SQLite, where a column holds whatever was put there
        usable = _sqlite_changes(connection, changed)
    else:
        usable = changed.is_not(None)
    return and_(key.is_not(None), usable)


def _sqlite_changes(connection: Connection, changed: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition on changes of the kind that most are: times as text, or numbers."""
    of_kind = func.typeof(changed)
    counted = (
        select(of_kind)
        .where(of_kind.in_(("integer", "text")))
        .group_by(of_kind)
        .order_by(func.count().desc())
        .limit(1)
    )
    if connection.execute(counted).scalar() == "integer":
        return of_kind == "integer"
    is_time = and_(
        of_kind == "text",
        changed.op("GLOB")(_LOOKS_LIKE_TIME),
        changed.between("0002-01-02", _LAST.date().isoformat()),
    )
    given, usable = connection.execute(
        select(func.count(changed), func.count(case((is_time, 1))))
    ).one()
    if given and not usable:
        raise InputError(
            f"no value of {changed.compile()} is a time in ISO 8601; --changed takes a column of "
            "such times, or of whole numbers that grow with every change"
        )
    return is_time


def _without_impossible(column: ColumnElement[Any]) -> ColumnElement[Any]:
    first, last, refused = (_like(column.type, at) for at in (_REFUSED, _LAST, _REFUSED))
    return case((column.is_(None), None), (column.between(first, last), column), else_=refused)


def _like(kind: Any, moment: datetime) -> datetime | date:
    if not isinstance(kind, DateTime):
        return moment.date()
    return moment.replace(tzinfo=UTC) if kind.timezone else moment
