"""Reviews that were erased while their chunk was on its way, or being scored."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from iyu.schemas.contract.message import Chunk
from iyu.schemas.erasure.lock import lock_for_storing
from iyu.schemas.erasure.tombstones import Submission, erased_among


def without_erased(connection: Connection, chunk: Chunk, accepted_at: datetime | None) -> Chunk:
    """Return the chunk without the reviews that were erased since they were submitted.

    Call it first in the transaction that stores something of the chunk: until it ends, no review of
    the source can be erased.
    """
    lock_for_storing(connection, chunk.source)
    submission = Submission(chunk.source, chunk.submitted_at, accepted_at)
    erased = erased_among(connection, submission, [review.review_id for review in chunk.reviews])
    if not erased:
        return chunk
    return replace(chunk, reviews=tuple(r for r in chunk.reviews if r.review_id not in erased))


def is_erased(connection: Connection, chunk: Chunk, review_id: str) -> bool:
    """Say whether a review that came with a chunk's message was erased since."""
    submission = Submission(chunk.source, chunk.submitted_at, None)
    return bool(erased_among(connection, submission, [review_id]))
