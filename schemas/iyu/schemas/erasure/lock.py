"""Erasure and storing never overlap: the one waits for the other, source by source.

A worker that looked for tombstones before they were written, and commits its rows after they were
deleted, would bring a review back. On PostgreSQL storing therefore holds a shared lock of the
source, and erasing the exclusive one; each takes it first of all in its transaction, so that they
cannot wait for each other in a ring. On SQLite there is one writer anyway.
"""

from hashlib import blake2b
from typing import Final

from sqlalchemy import Connection, text

#: First half of the lock's key: tells it from other programs' advisory locks.
_CLASS: Final = 0x1E15
_LOCK: Final = text("SELECT pg_advisory_xact_lock(:class, :source)")
_LOCK_SHARED: Final = text("SELECT pg_advisory_xact_lock_shared(:class, :source)")


def lock_for_erasing(connection: Connection, source: str) -> None:
    """Wait until nothing of a source is being stored, and keep it so until the end."""
    _lock(connection, source, _LOCK)


def lock_for_storing(connection: Connection, source: str) -> None:
    """Wait until nothing of a source is being erased, and keep it so until the end."""
    _lock(connection, source, _LOCK_SHARED)


def _lock(connection: Connection, source: str, statement: object) -> None:
    if connection.dialect.name == "postgresql":
        digest = blake2b(source.encode(), digest_size=4).digest()
        number = int.from_bytes(digest, "big", signed=True)
        connection.execute(statement, {"class": _CLASS, "source": number})  # type: ignore[call-overload]
