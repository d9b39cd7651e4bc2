"""One submission: what was let in of it, and what was turned away."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, update

from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Reason, utc_now
from iyu.schemas.sql.tables import batches


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a submission."""

    batch_id: str
    accepted: int  # reviews in chunks: each will be scored or be a dead letter
    repeated: int  # reviews that stood in their chunk already, word for word
    rejected: Mapping[Reason, int]
    chunks: int
    unpublished: int  # accepted, but the broker did not take them: a sweep will publish them

    @property
    def rejected_total(self) -> int:
        """All rejected reviews, whatever the reason."""
        return sum(self.rejected.values())

    def note_on(self, error: BaseException) -> None:
        """Say on an error that ends the submission early what is safe all the same."""
        if self.accepted:
            error.add_note(
                f"{self.accepted:,} reviews were handed over before and are safe; submit all of it "
                "again, nothing changes for them"
            )


@dataclass(slots=True)
class Batch:
    """The counts of a submission that goes on, and its row in `batches`."""

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

    def open(self, connection: Connection) -> None:
        """Write the row; it stays without `closed_at` if the producer is killed."""
        row: dict[str, Any] = {
            "batch_id": self.batch_id,
            "source": self.source,
            "origin": self.origin,
        }
        row["created_at"] = utc_now()
        connection.execute(insert(batches).values(row | self._counts()))

    def save(self, connection: Connection, new: Sequence[Chunk] = ()) -> None:
        """Update the row's counts, chunks of this very transaction included."""
        self._update(connection, self._counts(new))

    def close(self, connection: Connection) -> None:
        """Note that the submission is complete."""
        self._update(connection, self._counts() | {"closed_at": utc_now()})

    def _counts(self, new: Sequence[Chunk] = ()) -> dict[str, Any]:
        return {
            "accepted": self.accepted + sum(len(chunk.reviews) for chunk in new),
            "rejected": self.rejected.total(),
            "chunks": self.chunks + len(new),
        }

    def _update(self, connection: Connection, values: dict[str, Any]) -> None:
        connection.execute(
            update(batches).where(batches.c.batch_id == self.batch_id).values(values)
        )
