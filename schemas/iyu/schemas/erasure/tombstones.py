"""What was erased, as hashes with their time: late messages bring no review back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from sqlalchemy import Connection, delete, exists, func, select

from iyu.schemas.sql.tables import chunks, tombstones
from iyu.schemas.sql.upsert import upsert

#: A submission that claims to be up to this much later than the erasure counts as earlier, for
#: producers' clocks differ; the ledger's own time of acceptance decides where there is one.
CLOCK_TOLERANCE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Submission:
    """When the reviews of a chunk came in."""

    source: str
    submitted_at: datetime  # by the producer's clock
    accepted_at: datetime | None  # by the database's; None: it came as a message alone


def key_hash(source: str, review_id: str) -> str:
    """Return 32 hexadecimal digits that name a review without holding its key (BLAKE2b)."""
    return blake2b(f"{source}\0{review_id}".encode(), digest_size=16).hexdigest()


def write_tombstones(
    connection: Connection, source: str, review_ids: Sequence[str], erased_at: datetime
) -> None:
    """Note that reviews were erased; the latest time of a review stays."""
    hashes = sorted(key_hash(source, key) for key in set(review_ids))
    upsert(
        connection,
        tombstones,
        {"key_hash": hashes, "erased_at": erased_at},
        update_where="excluded.erased_at > tombstones.erased_at",
    )


def erased_among(
    connection: Connection, submission: Submission, review_ids: Collection[str]
) -> frozenset[str]:
    """Return which of these reviews were erased after they were submitted.

    One look while nothing was ever erased.
    """
    if not connection.execute(select(exists().where(tombstones.c.key_hash.is_not(None)))).scalar():
        return frozenset()
    hashes = {key_hash(submission.source, key): key for key in review_ids}
    found = connection.execute(select(tombstones).where(tombstones.c.key_hash.in_(list(hashes))))
    return frozenset(
        hashes[row.key_hash] for row in found if _is_earlier(submission, row.erased_at)
    )


def prune_tombstones(connection: Connection, before: datetime) -> int:
    """Delete tombstones from before a time; those that an open chunk may still need stay."""
    oldest = connection.execute(
        select(func.min(chunks.c.submitted_at)).where(chunks.c.finished_at.is_(None))
    ).scalar()
    limit = before if oldest is None else min(before, oldest - CLOCK_TOLERANCE)
    gone = connection.execute(delete(tombstones).where(tombstones.c.erased_at < limit))
    return int(gone.rowcount)


def _is_earlier(submission: Submission, erased_at: datetime) -> bool:
    if submission.accepted_at is not None:
        return submission.accepted_at <= erased_at
    return submission.submitted_at <= erased_at + CLOCK_TOLERANCE
