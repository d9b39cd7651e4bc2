"""A chunk that keeps failing or killing its process: split, or its one review given up."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Engine

from iyu.schemas.broker.publisher import Publisher, publish_and_mark
from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.message import Chunk
from iyu.schemas.contract.review import Reason
from iyu.schemas.erasure.late_messages import without_erased
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.chunks import Begun, State
from iyu.schemas.ledger.dead_letters import bury_review
from iyu.schemas.sql.engine import writing

log = logging.getLogger("iyu.worker")

#: Times a single review may fail, or kill its process, after its chunk did.
PART_ATTEMPTS: Final = 2


def is_used_up(begun: Begun, max_attempts: int) -> bool:
    """Say whether a chunk was begun too often; a part of one that failed has fewer attempts."""
    limit = min(PART_ATTEMPTS, max_attempts) if begun.is_part else max_attempts
    return begun.attempts > limit


def split_or_bury(
    engine: Engine,
    publisher: Publisher,
    chunk: Chunk,
    accepted_at: datetime | None,
    reason: Reason,
    error: str,
) -> None:
    """Split a chunk into its reviews, queued one by one; make a dead letter of a single review.

    Raises DatabaseUnavailable.
    """
    parts: list[Chunk] = []
    with writing(engine) as connection:
        chunk = without_erased(connection, chunk, accepted_at)
        if len(chunk.reviews) > 1:
            parts = ledger.split(connection, chunk)
        elif ledger.finish(connection, chunk.chunk_id, State.DEAD):
            for review in chunk.reviews:
                bury_review(connection, chunk, review, reason, error)
    log.error(
        "chunk %s failed again and again (%s): %s",
        chunk.chunk_id,
        reason,
        f"split into {len(parts)}" if parts else "its review is a dead letter",
    )
    if parts:
        _publish(engine, publisher, parts)


def _publish(engine: Engine, publisher: Publisher, chunks: Sequence[Chunk]) -> None:
    """Publish chunks that the ledger holds already: if this fails, the sweeper does it."""
    try:
        publish_and_mark(publisher, engine, chunks)
    except IyuError as error:
        log.warning("%s; the sweeper will publish %d chunks", error, len(chunks))
