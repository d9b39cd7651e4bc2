"""What an error of the database means: try again, correct the installation, or bad data.

PostgreSQL reports causes as SQLSTATE (its manual, appendix A), SQLite as result codes.
"""

import sqlite3
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError as SqlDatabaseError
from sqlalchemy.exc import DataError as SqlDataError
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from iyu.schemas.contract.errors import DatabaseUnavailable, DatabaseUnusable, NotADatabase
from iyu.schemas.contract.settings import mask

#: Bytes of an error's first line that are shown.
_CAUSE_LENGTH: Final = 300
_LOGIN = "check user, password and name of the database in IYU_DATABASE_URL"
_RIGHT = "grant it to the user in IYU_DATABASE_URL"
_TABLES = "run `iyu db upgrade`, or start the version of iyu that these tables belong to"
_READ_ONLY = "let IYU_DATABASE_URL name the primary server, or a file that may be written"
_FULL = "free or add disk space; nothing is lost meanwhile"
_DAMAGED = "restore it from a backup"
#: What to do, by SQLSTATE or the beginning of one. The longest that fits counts.
_BY_SQLSTATE: Final[Mapping[str, str]] = {
    "28": _LOGIN,
    "3D000": _LOGIN,
    "42": _TABLES,
    "42501": _RIGHT,
    "25006": _READ_ONLY,
    "53100": _FULL,
    "XX": "look into the server's log",
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
#: The same for SQLite's primary result codes.
_BY_RESULT_CODE: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_ERROR: _TABLES,  # it has no code of its own for "no such table"
    sqlite3.SQLITE_SCHEMA: _TABLES,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
}
#: libpq reports an attempt to connect that was refused without its SQLSTATE.
_LOGIN_TEXTS: Final = (
    "authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",  # the role or the database
)


def is_data_error(error: DBAPIError) -> bool:
    """Whether the rows are at fault: one that a type, a limit or a constraint forbids."""
    # Class 54: a value is too large for an index or a row; psycopg calls that operational.
    return isinstance(error, SqlDataError | IntegrityError) or _sqlstate(error).startswith("54")


def is_transient(error: DBAPIError) -> bool:
    """Whether the same statement may work later, once the database is well: no fault of the data.

    A mistake that the driver finds itself, before the database sees it, is never transient.
    """
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    if is_data_error(error):
        return False
    if isinstance(error, OperationalError) or _sqlstate(error):
        return True
    # A file that is damaged, or none of SQLite's, has no class of its own.
    return type(error) is SqlDatabaseError and _result_code(error) is not None


def needs_correction(error: DBAPIError) -> bool:
    """Whether somebody has to put the database right first: waiting alone helps nothing."""
    return _advice(error) is not None or _result_code(error) == sqlite3.SQLITE_NOTADB


def database_trouble(engine: Engine, error: DBAPIError) -> DatabaseUnavailable:
    """Return the error to raise in place of a transient one, with what to do next."""
    cause = (str(error.orig).strip().splitlines() or ["no answer"])[0][:_CAUSE_LENGTH]
    if _result_code(error) == sqlite3.SQLITE_NOTADB:
        return NotADatabase(f"{engine.url.database} is not a SQLite database; name another file")
    address = mask(engine.url.render_as_string(hide_password=False))
    if advice := _advice(error):
        return DatabaseUnusable(f"the database {address} cannot be used ({cause}); {advice}")
    return DatabaseUnavailable(
        f"the database {address} does not answer ({cause}); check that it runs and "
        "IYU_DATABASE_URL names it"
    )


def _advice(error: DBAPIError) -> str | None:
    code = _result_code(error)
    if code is not None:
        return _BY_RESULT_CODE.get(code)
    state = _sqlstate(error)
    fits = [beginning for beginning in _BY_SQLSTATE if state.startswith(beginning)]
    if fits:
        return _BY_SQLSTATE[max(fits, key=len)]
    if not state and any(text in str(error.orig) for text in _LOGIN_TEXTS):
        return _LOGIN
    return None


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _result_code(error: DBAPIError) -> int | None:
    """Return SQLite's primary result code; None for another database, or the driver's own error."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
