"""What a database takes on the disk, table by table, indexes apart."""

from typing import Any

from sqlalchemy import Connection, Engine, text

from iyu.schemas.contract.settings import sqlite_path
from iyu.schemas.sql.engine import reading

_SQLITE = """
    SELECT COALESCE(m.tbl_name, s.name), m.type = 'index', SUM(s.pgsize)
    FROM dbstat AS s LEFT JOIN sqlite_schema AS m ON m.name = s.name
    WHERE s.aggregate = TRUE GROUP BY 1, 2
"""
_POSTGRESQL = """
    SELECT relname, FALSE, pg_table_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT relname, TRUE, pg_indexes_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def database_bytes(engine: Engine) -> int:
    """Return the bytes of a whole database, SQLite's log written back."""
    path = sqlite_path(engine.url.render_as_string(hide_password=False))
    if path:
        with reading(engine) as connection:
            connection.rollback()
            raw: Any = connection.connection.driver_connection
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.stat().st_size
    with reading(engine) as connection:
        found = connection.execute(text("SELECT pg_database_size(current_database())"))
        return int(found.scalar_one())


def table_bytes(engine: Engine) -> dict[str, int]:
    """Return the bytes of each table, and of its indexes as `NAME indexes`; {} if not to be had."""
    with reading(engine) as connection:
        query = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
        if connection.dialect.name == "sqlite" and not _has_dbstat(connection):
            return {}
        rows = connection.execute(text(query)).all()
    return {f"{name} indexes" if index else name: int(size) for name, index, size in rows if size}


def _has_dbstat(connection: Connection) -> bool:
    options = connection.exec_driver_sql("PRAGMA compile_options").scalars()
    return "ENABLE_DBSTAT_VTAB" in set(options)
