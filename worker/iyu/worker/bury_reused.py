"""Messages whose chunk_id was used before, for other reviews: dead letters that can be replayed."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection, Engine, select

from iyu.schemas.contract.message import Chunk
from iyu.schemas.contract.review import Reason, Rejection, Review, text_hash
from iyu.schemas.erasure.late_messages import is_erased, without_erased
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.dead_letters import bury_rejection, bury_review
from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.tables import reviews

log = logging.getLogger("iyu.worker")


def bury_if_reused(
    engine: Engine, chunk: Chunk, rejected: Sequence[tuple[Rejection, object]]
) -> None:
    """Make dead letters of reviews that came under another chunk's id; nothing if it is their own.

    A review that is stored with this very text is left out: it was sent again among others.

    Raises DatabaseUnavailable: nothing was written, the same call may work later.
    """
    with reading(engine) as connection:
        if not ledger.is_reused(connection, chunk):
            log.info("chunk %s came again; it is finished already", chunk.chunk_id)
            return
    error = (
        f"the chunk_id {chunk.chunk_id} was used before, for other reviews; give every message a "
        "new UUID, and replay this"
    )
    with writing(engine) as connection:
        # Without its batch, in which the letters would count as reviews of the other chunk.
        chunk = replace(chunk, batch_id=None)
        present = without_erased(connection, chunk, None)
        lost = list(_not_stored(connection, present))
        for review in lost:
            bury_review(connection, chunk, review, Reason.CHUNK_ID_REUSED, error)
        for rejection, raw in rejected:
            if not is_erased(connection, chunk, rejection.review_id):
                bury_rejection(connection, chunk, rejection, raw)
    log.error("%s: %d reviews are dead letters", error, len(lost))


def _not_stored(connection: Connection, chunk: Chunk) -> Iterator[Review]:
    r = reviews.c
    wanted = [review.review_id for review in chunk.reviews]
    query = select(r.review_id, r.text_hash).where(
        r.source == chunk.source, r.review_id.in_(wanted)
    )
    stored = {row.review_id: row.text_hash for row in connection.execute(query)}
    for review in chunk.reviews:
        if stored.get(review.review_id) != text_hash(review.text):
            yield review
