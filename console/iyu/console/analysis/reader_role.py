"""The statements that make a PostgreSQL role which can read the tables, and nothing else."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import make_url

from iyu.console.analysis.read_only_connection import SECRET_TABLES
from iyu.schemas.contract.errors import InputError
from iyu.schemas.sql import views
from iyu.schemas.sql.tables import metadata

#: PostgreSQL cuts longer names off.
NAME_BYTES: Final = 63
#: Alembic's own table, by which a command sees that the tables are of its version.
VERSION_TABLE: Final = "alembic_version"


def reader_role_statements(name: str, address: str) -> Iterator[str]:
    """Yield the statements, each without its semicolon, to be run by the owner of the tables.

    Raises InputError for a SQLite address, and for a name that is none.
    """
    url = make_url(address)
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise InputError(
            "SQLite has no roles: `iyu sql` is confined there by itself; roles are PostgreSQL's"
        )
    if not name.isprintable() or not name or len(name.encode()) > NAME_BYTES:
        raise InputError("that is no name of a role; give for example iyu_reader")
    role = _quoted(name)
    readable = ", ".join(map(_quoted, _readable_relations()))
    yield f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT"
    yield f"GRANT CONNECT ON DATABASE {_quoted(url.database or 'iyu')} TO {role}"
    yield f"GRANT USAGE ON SCHEMA public TO {role}"
    yield f"GRANT SELECT ON {readable} TO {role}"
    yield f"ALTER ROLE {role} SET default_transaction_read_only = on"


def _readable_relations() -> list[str]:
    tables = set(metadata.tables) - SECRET_TABLES
    return sorted({*tables, VERSION_TABLE, *views.NAMES})


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
