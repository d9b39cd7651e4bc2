"""The way of a chunk through a worker: begin, score, store; or hand back, split, bury."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import Engine

from schemas import ledger
from schemas.broker import Publisher
from schemas.database import writing
from schemas.dead_letters import bury_rejection, bury_review
from schemas.errors import DatabaseUnavailable, IyuError
from schemas.ledger import Begun, State
from schemas.message import Chunk
from schemas.review import Reason, Rejection, Review, utc_now
from worker import store
from worker.scoring import Prediction, Scorer
from worker.settings import WorkerSettings

log = logging.getLogger("iyu.worker")

#: Reviews that were turned away on arrival, with their raw text.
TurnedAway = Sequence[tuple[Rejection, object]]
#: Chunks a sweep publishes at most: what is left waits for the next one.
SWEEP_LIMIT = 1_000

Failed = list[tuple[Review, str]]  # with the error that scoring raised


@dataclass(slots=True)
class Runtime:
    """The real parts of one worker process, handed in once."""

    settings: WorkerSettings
    engine: Engine
    scorer: Scorer
    publisher: Publisher
    #: Chunks given back for no fault of theirs, whose attempt is yet to be taken back.
    handed_back: list[str] = field(default_factory=list)
    registered: bool = False


def score_chunk(runtime: Runtime, chunk: Chunk, turned_away: TurnedAway) -> None:
    """Score a chunk and store its rows, once.

    Raises DatabaseUnavailable: nothing was written, the same call may work later.
    """
    begun = _begin(runtime, chunk)
    if begun is None:
        log.info("chunk %s came again; it is finished already", chunk.chunk_id)
        return
    try:
        if begun.attempts > _limit(runtime.settings, chunk, begun):
            _divide(runtime, chunk)
        else:
            predictions, failed = _score(runtime.scorer.score, chunk.reviews)
            _store(runtime, chunk, predictions, failed, turned_away)
    except DatabaseUnavailable:
        runtime.handed_back.append(chunk.chunk_id)
        raise


def _begin(runtime: Runtime, chunk: Chunk) -> Begun | None:
    """Commit the attempt before anything can die of it."""
    with writing(runtime.engine) as connection:
        if runtime.handed_back:
            ledger.hand_back(connection, runtime.handed_back)
        if not runtime.registered:
            artifact = runtime.scorer.artifact
            store.register_model(connection, artifact.model_version, artifact.manifest)
        begun = ledger.begin(connection, chunk)
    runtime.handed_back.clear()
    runtime.registered = True
    return begun


def _limit(settings: WorkerSettings, chunk: Chunk, begun: Begun) -> int:
    """Return how often a chunk may be begun: half of a failed one is suspect, so once."""
    return 1 if begun.is_part and len(chunk.reviews) > 1 else settings.max_attempts


def _divide(runtime: Runtime, chunk: Chunk) -> None:
    """Split a chunk that kept killing its process, or bury it when it is down to one review."""
    if len(chunk.reviews) > 1:
        with writing(runtime.engine) as connection:
            halves = ledger.split(connection, chunk)
        log.warning("chunk %s failed too often: split in two", chunk.chunk_id)
        _publish(runtime, halves)
        return
    with writing(runtime.engine) as connection:
        error = f"its worker process died in each of {runtime.settings.max_attempts} attempts"
        for review in chunk.reviews:
            bury_review(connection, chunk, review, Reason.KILLED_WORKER, error)
        ledger.finish(connection, chunk.chunk_id, State.DEAD)
    log.error("chunk %s: its review is a dead letter, it killed its process", chunk.chunk_id)


def _publish(runtime: Runtime, chunks: Sequence[Chunk]) -> None:
    """Publish what the ledger holds already: if this fails, the sweeper does it."""
    try:
        runtime.publisher.publish(chunks)
        with writing(runtime.engine) as connection:
            ledger.mark_published(connection, [chunk.chunk_id for chunk in chunks])
    except IyuError as error:
        log.warning("%s; the sweeper will publish %d chunks", error, len(chunks))


def sweep(runtime: Runtime) -> int:
    """Publish chunks again whose message seems lost; return how many."""
    before = utc_now() - timedelta(seconds=runtime.settings.stale_after)
    with writing(runtime.engine) as connection:
        stale = ledger.take_stale(connection, before, limit=SWEEP_LIMIT)
    if stale:
        log.warning("%d chunks were not finished in time: published again", len(stale))
        runtime.publisher.publish(stale)
    return len(stale)


def _score(
    score: Callable[[Sequence[str]], list[Prediction]], reviews: Sequence[Review]
) -> tuple[dict[str, Prediction], Failed]:
    """Score reviews together; if that fails, find those that fail by halving."""
    try:
        predictions = score([review.text for review in reviews])
        return {r.review_id: p for r, p in zip(reviews, predictions, strict=True)}, []
    except Exception as error:
        if len(reviews) == 1:
            return {}, [(reviews[0], type(error).__name__)]
    middle = len(reviews) // 2
    first, first_failed = _score(score, reviews[:middle])
    second, second_failed = _score(score, reviews[middle:])
    return first | second, first_failed + second_failed


def _store(
    runtime: Runtime,
    chunk: Chunk,
    predictions: dict[str, Prediction],
    failed: Failed,
    turned_away: TurnedAway,
) -> None:
    scored = replace(chunk, reviews=tuple(r for r in chunk.reviews if r.review_id in predictions))
    with writing(runtime.engine) as connection:
        store.write(
            connection,
            scored,
            [predictions[review.review_id] for review in scored.reviews],
            runtime.scorer.artifact.model_version,
        )
        for review, error in failed:
            bury_review(connection, chunk, review, Reason.SCORING_FAILED, error)
        for rejection, raw in turned_away:
            bury_rejection(connection, chunk, rejection, raw)
        ledger.finish(connection, chunk.chunk_id)
