"""One submission: how many of its reviews were accepted and rejected."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from iyu.schemas.contract.message import Chunk, Purpose, new_id
from iyu.schemas.contract.review import Reason


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
    """The counts of a submission in progress."""

    source: str
    origin: str
    purpose: Purpose
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
