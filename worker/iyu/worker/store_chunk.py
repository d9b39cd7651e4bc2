"""The end of a chunk: rows, dead letters and the ledger's entry in one transaction.

Where the database rejects a row (a type, a limit, a constraint), halving finds the reviews at
fault: they become dead letters, and the others are stored.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from iyu.schemas.contract.message import Chunk
from iyu.schemas.contract.review import Reason, Review
from iyu.schemas.erasure.late_messages import without_erased
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.chunks import Begun
from iyu.schemas.ledger.dead_letters import bury_review
from iyu.schemas.sql.database_errors import is_data_error
from iyu.schemas.sql.engine import writing
from iyu.worker.rows import write_chunk as rows
from iyu.worker.scoring import Prediction

log = logging.getLogger("iyu.worker")

Scored = list[tuple[Review, Prediction]]
Failed = list[tuple[Review, str]]  # with the name of the error that scoring raised


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """A chunk after the model: every review has a prediction or an error."""

    chunk: Chunk
    begun: Begun
    model_version: str
    scored: Scored
    failed: Failed


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is to be written of a chunk, in its transaction: reviews erased meanwhile are not."""

    connection: Connection
    chunk: Chunk
    predictions: list[Prediction]


@contextmanager
def closing_chunk(engine: Engine, result: ScoredChunk) -> Iterator[Remaining | None]:
    """Give the transaction that ends a chunk, its dead letters included; None if it has ended.

    A context, so that a reader has one function less to pass on the way to SQL.

    Raises DatabaseUnavailable: nothing was written.
    """
    chunk = result.chunk
    with writing(engine) as connection:
        present = without_erased(connection, chunk, result.begun.accepted_at)
        if not ledger.finish(connection, chunk.chunk_id):
            # Whoever closes a chunk writes what became of its reviews: rows from here could
            # contradict dead letters, or parts that are still to be scored.
            log.info("chunk %s was finished by another worker; its rows stand", chunk.chunk_id)
            yield None
            return
        kept = {review.review_id for review in present.reviews}
        scored = [pair for pair in result.scored if pair[0].review_id in kept]
        written = replace(chunk, reviews=tuple(review for review, _ in scored))
        yield Remaining(connection, written, [prediction for _, prediction in scored])
        for review, error in result.failed:
            if review.review_id in kept:
                bury_review(connection, chunk, review, Reason.SCORING_FAILED, error)


def store_by_halves(engine: Engine, result: ScoredChunk, error: DBAPIError) -> list[int]:
    """Store what the database takes of a chunk, after it rejected the whole with this error.

    Returns the ids of its rows in `day_deltas`. Raises the error if no row is at fault.
    """
    if not is_data_error(error):
        raise error
    log.error(
        "the database rejects rows of chunk %s (%s): looking for the reviews at fault",
        result.chunk.chunk_id,
        type(error.orig).__name__,
    )
    with closing_chunk(engine, result) as part:
        if part is None:
            return []
        scored = list(zip(part.chunk.reviews, part.predictions, strict=True))
        return _write_by_halves(part.connection, result, scored)


def _write_by_halves(connection: Connection, result: ScoredChunk, scored: Scored) -> list[int]:
    """Write each half under a savepoint, down to the reviews that the database rejects."""
    written = replace(result.chunk, reviews=tuple(review for review, _ in scored))
    try:
        with connection.begin_nested():
            predictions = [prediction for _, prediction in scored]
            delta = rows.write(connection, written, predictions, result.model_version)
            return [] if delta is None else [delta]
    except DBAPIError as error:
        if not is_data_error(error):
            raise
        if len(scored) == 1:
            # The name alone: the database's text quotes what it rejects.
            why = f"the database rejects its row ({type(error.orig).__name__})"
            bury_review(connection, result.chunk, scored[0][0], Reason.STORE_FAILED, why)
            return []
    middle = len(scored) // 2
    return [
        *_write_by_halves(connection, result, scored[:middle]),
        *_write_by_halves(connection, result, scored[middle:]),
    ]
