"""The rows of `batches`: one for each submission. None of these functions commits."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from iyu.schemas.contract.review import utc_now
from iyu.schemas.sql.tables import batches


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A submission as it stands in the ledger."""

    batch_id: str
    source: str
    origin: str
    accepted: int  # reviews
    rejected: int  # reviews
    chunks: int


def open_batch(connection: Connection, row: BatchRow, *, may_exist: bool = False) -> None:
    """Write a batch's row; `closed_at` stays empty if the producer is killed.

    may_exist: an earlier try may have been committed although its answer was lost.
    """
    if may_exist and _exists(connection, row.batch_id):
        return
    names = {"batch_id": row.batch_id, "source": row.source, "origin": row.origin}
    values = names | _counts(row) | {"created_at": utc_now()}
    connection.execute(insert(batches).values(values))


def add_complete_batches(connection: Connection, rows: Sequence[BatchRow]) -> None:
    """Write the rows of submissions that came whole: opened and closed at once."""
    now = utc_now()
    times = {"created_at": now, "closed_at": now}
    connection.execute(insert(batches), [asdict(row) | times for row in rows])


def update_batch(connection: Connection, row: BatchRow, *, close: bool = False) -> None:
    """Update the counts of a batch; `close`: the submission is complete."""
    closed: dict[str, Any] = {"closed_at": utc_now()} if close else {}
    found = update(batches).where(batches.c.batch_id == row.batch_id)
    connection.execute(found.values(_counts(row) | closed))


def _counts(row: BatchRow) -> dict[str, Any]:
    return {"accepted": row.accepted, "rejected": row.rejected, "chunks": row.chunks}


def _exists(connection: Connection, batch_id: str) -> bool:
    found = select(batches.c.batch_id).where(batches.c.batch_id == batch_id)
    return connection.execute(found).first() is not None
