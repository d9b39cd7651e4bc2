"""One submission: how many of its reviews were accepted and rejected."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, update

from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Reason, utc_now
from iyu.schemas.sql.tables import batches


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of a submission, in reviews unless stated otherwise."""

    batch_id: str
    accepted: int  # each will be scored or become a dead letter
    repeated: int  # the same id and text were in the chunk already
    rejected: Mapping[Reason, int]
    chunks: int
    unpublished: int  # accepted, but not published yet: a sweep will publish them

    @property
    def rejected_total(self) -> int:
        """All rejected reviews, whatever the reason."""
        return sum(self.rejected.values())

    def note_on(self, error: BaseException) -> None:
        """Note on an error that ended the submission early how many reviews are safe."""
        if self.accepted:
            error.add_note(
                f"{self.accepted:,} reviews were handed over before and are safe; submit "
                "everything again, nothing changes for them"
            )


@dataclass(slots=True)
class Batch:
    """The counts of a submission in progress, and its row in `batches`."""

    source: str
    origin: str
    queue: str
    batch_id: str = field(default_factory=new_id)
    accepted: int = 0
    repeated: int = 0
    chunks: int = 0
    unpublished: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)

    def receipt(self) -> Receipt:
        """Return the counts as they are now."""
        return Receipt(
            self.batch_id,
            self.accepted,
            self.repeated,
            dict(self.rejected),
            self.chunks,
            self.unpublished,
        )

    def count(self, accepted: Sequence[Chunk]) -> None:
        """Count chunks that were accepted."""
        self.accepted += sum(len(chunk.reviews) for chunk in accepted)
        self.chunks += len(accepted)

    def open(self, connection: Connection, may_exist: bool = False) -> None:
        """Write the row; `closed_at` stays empty if the producer is killed.

        may_exist: an earlier try may have been committed although its answer was lost.
        """
        if may_exist and self._exists(connection):
            return
        row: dict[str, Any] = {
            "batch_id": self.batch_id,
            "source": self.source,
            "origin": self.origin,
            "created_at": utc_now(),
        }
        connection.execute(insert(batches).values(row | self._counts()))

    def save(self, connection: Connection, new: Sequence[Chunk] = ()) -> None:
        """Update the row's counts, including the chunks that this transaction accepts."""
        self._update(connection, self._counts(new))

    def close(self, connection: Connection) -> None:
        """Mark the submission as complete."""
        self._update(connection, self._counts() | {"closed_at": utc_now()})

    def _counts(self, new: Sequence[Chunk] = ()) -> dict[str, Any]:
        return {
            "accepted": self.accepted + sum(len(chunk.reviews) for chunk in new),
            "rejected": self.rejected.total(),
            "chunks": self.chunks + len(new),
        }

    def _exists(self, connection: Connection) -> bool:
        found = select(batches.c.batch_id).where(batches.c.batch_id == self.batch_id)
        return connection.execute(found).first() is not None

    def _update(self, connection: Connection, values: dict[str, Any]) -> None:
        connection.execute(
            update(batches).where(batches.c.batch_id == self.batch_id).values(values)
        )
