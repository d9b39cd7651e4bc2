"""Many rows in one statement: insert them, or update those that exist.

Only names from `iyu.schemas.sql.tables` are put into SQL text; every value is bound.
"""

from collections.abc import Mapping
from functools import cache
from itertools import compress, repeat
from typing import Any

import orjson
from sqlalchemy import JSON, Connection, Date, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect

from iyu.schemas.sql.heat_columns import TokenValues
from iyu.schemas.sql.tables import UtcDateTime

_POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

#: A list is a column's values, row by row; anything else stands in every row.
Columns = Mapping[str, Any]


def upsert(
    connection: Connection,
    table: Table,
    columns: Columns,
    *,
    update_where: str | None = None,
    adding: tuple[str, ...] = (),
    updating: tuple[str, ...] = (),
) -> int:
    """Insert rows by primary key; where one exists, update it if `update_where` holds.

    Columns named in `adding` are added to the stored value. Of a row that exists only `updating` is
    set, or else every column. Columns that are not given keep their
    default. At least one column is a list, and all lists are equally long; no key appears twice.
    Returns the rows that were inserted or updated.

    Values of a list go to the driver as they are, but for times and days: SQLAlchemy's own way
    costs more than the writing itself.

    Raises TypeError for a time without its zone.
    """
    lists = [name for name, values in columns.items() if isinstance(values, list)]
    rows = len(columns[lists[0]])
    if not rows:
        return 0
    names = tuple(columns)
    bound = {name: _bound(connection.dialect, table, name, v) for name, v in columns.items()}
    if connection.dialect.name == "postgresql":
        statement = _postgresql(table, names, tuple(lists), update_where, adding, updating)
        return int(connection.exec_driver_sql(statement, bound).rowcount)
    statement = _sqlite(table, names, update_where, adding, updating)
    values = zip(*(bound[n] if n in lists else repeat(bound[n], rows) for n in names), strict=True)
    return int(connection.exec_driver_sql(statement, list(values)).rowcount)


def insert_new(connection: Connection, table: Table, key: str, columns: Columns) -> frozenset[str]:
    """Insert the rows whose key is new, and return their values of `key`.

    `key` is the one column of the primary key that is a list. Rows that exist are not changed. If
    another transaction is inserting the same key, this one waits for it.
    """
    if not columns[key]:
        return frozenset()
    if connection.dialect.name == "sqlite":  # one writer: no other insert comes in between
        return _insert_absent(connection, table, key, columns)
    from iyu.schemas.sql.copy_rows import copy_rows  # not where psycopg is not installed

    if not _known(connection, table, key, columns) and copy_rows(
        connection, table, _for_driver(connection, table, columns)
    ):
        return frozenset(columns[key])
    names = tuple(columns)
    lists = tuple(name for name, values in columns.items() if isinstance(values, list))
    bound = {name: _bound(connection.dialect, table, name, v) for name, v in columns.items()}
    statement = _postgresql_insert(table, names, lists)
    statement += f"ON CONFLICT DO NOTHING RETURNING {key}"
    return frozenset(connection.exec_driver_sql(statement, bound).scalars())


def insert_or_upsert(
    connection: Connection, table: Table, columns: Columns, *, update_where: str
) -> None:
    """Write rows of which no key is likely to be there: as `upsert`, and faster if none is."""
    if connection.dialect.name == "postgresql":
        from iyu.schemas.sql.copy_rows import copy_rows  # not where psycopg is not installed

        if copy_rows(connection, table, _for_driver(connection, table, columns)):
            return
    upsert(connection, table, columns, update_where=update_where)


def _for_driver(connection: Connection, table: Table, columns: Columns) -> dict[str, Any]:
    return {
        name: _driver_values(connection.dialect, table.c[name].type, values)
        for name, values in columns.items()
    }


def _driver_values(dialect: Dialect, kind: Any, value: Any) -> Any:
    if not isinstance(kind, UtcDateTime | Date):
        return value
    if not isinstance(value, list):
        return _converted(dialect, kind, [value])[0]
    return _converted(dialect, kind, value)


def _known(connection: Connection, table: Table, key: str, columns: Columns) -> bool:
    """Say whether one of the keys is there."""
    fixed = [column.name for column in table.primary_key if column.name != key]
    where = "".join(f"{name} = %({name})s AND " for name in fixed)
    kind = table.c[key].type.compile(_POSTGRESQL)
    query = (
        f"SELECT 1 FROM {table.name} WHERE {where}"
        f"{key} IN (SELECT json_array_elements_text(%({key})s::json)::{kind}) LIMIT 1"
    )
    bound = {name: columns[name] for name in fixed} | {key: orjson.dumps(columns[key]).decode()}
    return connection.exec_driver_sql(query, bound).first() is not None


def _insert_absent(
    connection: Connection, table: Table, key: str, columns: Columns
) -> frozenset[str]:
    fixed = [column.name for column in table.primary_key if column.name != key]
    where = "".join(f"{name} = ? AND " for name in fixed)
    query = f"SELECT {key} FROM {table.name} WHERE {where}{key} IN (SELECT value FROM json_each(?))"
    bound = (*(columns[name] for name in fixed), orjson.dumps(columns[key]).decode())
    there = set(connection.exec_driver_sql(query, bound).scalars())
    if not there:
        upsert(connection, table, columns)
        return frozenset(columns[key])
    absent = [value not in there for value in columns[key]]
    rest = {
        name: list(compress(values, absent)) if isinstance(values, list) else values
        for name, values in columns.items()
    }
    upsert(connection, table, rest)
    return frozenset(rest[key])


def _bound(dialect: Dialect, table: Table, name: str, value: Any) -> Any:
    """Turn a value, or a column's list of them, into what the driver takes."""
    kind = table.c[name].type
    if not isinstance(value, list):
        return _converted(dialect, kind, [value])[0]
    if isinstance(kind, TokenValues):
        value = kind.texts(value, dialect)
    # The others go as they are: a call for every value would cost more than the writing.
    values = _converted(dialect, kind, value) if isinstance(kind, UtcDateTime | Date) else value
    return _as_json(kind, values) if dialect.name == "postgresql" else values


def _converted(dialect: Dialect, kind: Any, values: list[Any]) -> list[Any]:
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return values
    if isinstance(kind, JSON | Date):  # may come as text, which is their form already
        return [value if isinstance(value, str) else convert(value) for value in values]
    return [convert(value) for value in values]


def _as_json(kind: Any, values: list[Any]) -> str:
    # Given an array, psycopg escapes its values one by one with regular expressions: ten times
    # the cost of everything else that a worker does for a review.
    if isinstance(kind, JSON):  # its values are JSON already
        return f"[{','.join(values)}]"
    return orjson.dumps(values).decode()


@cache
def _sqlite(
    table: Table,
    names: tuple[str, ...],
    where: str | None,
    adding: tuple[str, ...],
    updating: tuple[str, ...],
) -> str:
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) "
        f"VALUES ({', '.join('?' for _ in names)}) "
        + _on_conflict(table, updating or names, where, adding)
    )


@cache
def _postgresql(
    table: Table,
    names: tuple[str, ...],
    lists: tuple[str, ...],
    where: str | None,
    adding: tuple[str, ...],
    updating: tuple[str, ...],
) -> str:
    insert = _postgresql_insert(table, names, lists)
    return insert + _on_conflict(table, updating or names, where, adding)


@cache
def _postgresql_insert(table: Table, names: tuple[str, ...], lists: tuple[str, ...]) -> str:
    """Build an INSERT whose lists are bound as JSON arrays: one text for any number of rows."""
    types = {name: str(table.c[name].type.compile(_POSTGRESQL)) for name in names}
    values = ", ".join(
        f"{_unpacked(name, types[name])}::{types[name]}"
        if name in lists
        else f"%({name})s::{types[name]}"
        for name in names
    )
    arrays = ", ".join(
        f"jsonb_array_elements(%({name})s::jsonb)"
        if types[name] == "JSONB"
        else f"json_array_elements_text(%({name})s::json)"
        for name in lists
    )
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) "
        f"SELECT {values} FROM ROWS FROM ({arrays}) AS u({', '.join(lists)}) "
    )


def _unpacked(name: str, kind: str) -> str:
    """Turn a JSON array into an array's own form; null stands for NULL in both."""
    return f"translate(u.{name}, '[]', '{{}}')" if kind.endswith("[]") else f"u.{name}"


def _on_conflict(
    table: Table, names: tuple[str, ...], where: str | None, adding: tuple[str, ...]
) -> str:
    keys = [column.name for column in table.primary_key]
    changed = [name for name in names if name not in keys]
    if not changed:
        return f"ON CONFLICT ({', '.join(keys)}) DO NOTHING"
    assignments = ", ".join(
        f"{name} = {table.name}.{name} + excluded.{name}"
        if name in adding
        else f"{name} = excluded.{name}"
        for name in changed
    )
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {assignments}" + (
        f" WHERE {where}" if where else ""
    )
