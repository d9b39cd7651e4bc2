"""SQLite's files: its log emptied into the database, and copies while others write."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from iyu.schemas.contract.errors import DatabaseUnavailable, InputError, SettingsError
from iyu.schemas.contract.settings import sqlite_path

#: Pages copied at a time; writers go on in between.
PAGES_AT_ONCE: Final = 4_096
#: Seconds to wait for a writer.
BUSY_SECONDS: Final = 30.0


def checkpoint(address: str) -> None:
    """Copy SQLite's log into the database and empty it, so that the one file holds everything.

    Where somebody still reads, the log stays: nothing is lost by that.
    """
    path = sqlite_path(address)
    if path is None or not path.exists():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=1)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def back_up(address: str, target: Path) -> None:
    """Copy a SQLite database, its log included, while others read and write it.

    Raises SettingsError for another database, InputError for a file that is there already or
    cannot be written, DatabaseUnavailable.
    """
    path = sqlite_path(address)
    if path is None:
        raise SettingsError(
            'PostgreSQL has its own tool: pg_dump --format=custom --file=FILE "$IYU_DATABASE_URL"'
        )
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise InputError(
            f"{target} cannot be written: {error.strerror}; name another file"
        ) from error
    try:
        _copy(path, target)
    except sqlite3.Error as error:
        target.unlink()
        raise DatabaseUnavailable(f"{path} cannot be copied ({error}); try again") from error


def _copy(path: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy, pages=PAGES_AT_ONCE)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
