"""The way of a chunk through a worker: begin, score, store; or hand back, split, bury."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Engine

from iyu.schemas.broker.publisher import Publisher
from iyu.schemas.contract.errors import ArtifactError, DatabaseUnavailable, IyuError
from iyu.schemas.contract.message import Chunk, Rescore
from iyu.schemas.contract.review import Reason, Rejection, Review
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.chunks import Begun, State
from iyu.schemas.ledger.dead_letters import bury_rejection, bury_review
from iyu.schemas.sql.engine import writing
from iyu.worker.rows import write_chunk as store
from iyu.worker.rows.add_to_keyword_days import FOLD_AT_ONCE, fold
from iyu.worker.scoring import Prediction, Scorer
from iyu.worker.settings import WorkerSettings

log = logging.getLogger("iyu.worker")

#: Reviews that were turned away on arrival, with their raw text.
TurnedAway = Sequence[tuple[Rejection, object]]
#: Times a single review may kill its process, after its chunk did: then it is dead.
PART_ATTEMPTS = 2

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
    registered: bool = False  # as a model that serves
    #: What this process's chunks add to the daily figures of words, not folded in yet.
    unfolded: list[int] = field(default_factory=list)


def score_chunk(runtime: Runtime, chunk: Chunk, turned_away: TurnedAway) -> None:
    """Score a chunk and store its rows, once.

    Raises DatabaseUnavailable: nothing was written, the same call may work later; ArtifactError
    for a chunk that is another model's.
    """
    _check_model(runtime, chunk)
    begun = _begin(runtime, chunk)
    if begun is None:
        log.info("chunk %s came again; it is finished already", chunk.chunk_id)
        return
    try:
        if begun.attempts > _limit(runtime.settings, begun):
            _divide(runtime, chunk, begun, turned_away)
        else:
            predictions, failed = _score(runtime.scorer.score, chunk.reviews)
            _store(runtime, chunk, predictions, failed, turned_away)
    except DatabaseUnavailable:
        runtime.handed_back.append(chunk.chunk_id)
        raise


def _begin(runtime: Runtime, chunk: Chunk) -> Begun | None:
    """Commit the attempt before anything can die of it."""
    serves = not isinstance(chunk.purpose, Rescore)  # rescoring is a trial
    with writing(runtime.engine) as connection:
        if runtime.handed_back:
            ledger.hand_back(connection, runtime.handed_back)
        if not runtime.registered:
            artifact = runtime.scorer.artifact
            store.register_model(
                connection, artifact.model_version, artifact.manifest, activate=serves
            )
        begun = ledger.begin(connection, chunk)
    runtime.handed_back.clear()
    runtime.registered = runtime.registered or serves
    return begun


def _check_model(runtime: Runtime, chunk: Chunk) -> None:
    """Refuse what only another model may score: a folder that was overwritten meanwhile."""
    purpose, here = chunk.purpose, runtime.scorer.artifact.model_version
    if isinstance(purpose, Rescore) and purpose.model_version != here:
        raise ArtifactError(
            f"this worker's model is {here}, the chunk is for {purpose.model_version}; "
            "start the worker again with that model"
        )


def _limit(settings: WorkerSettings, begun: Begun) -> int:
    """Return how often a chunk may be begun: a part of a failed one is suspect."""
    return min(PART_ATTEMPTS, settings.max_attempts) if begun.is_part else settings.max_attempts


def _divide(runtime: Runtime, chunk: Chunk, begun: Begun, turned_away: TurnedAway) -> None:
    """Split a chunk that kept killing its process, or bury it when it is down to one review."""
    parts: list[Chunk] = []
    with writing(runtime.engine) as connection:
        if len(chunk.reviews) > 1:
            parts = ledger.split(connection, chunk)
        elif ledger.finish(connection, chunk.chunk_id, State.DEAD):
            error = f"its worker process died in each of {begun.attempts - 1} attempts"
            for review in chunk.reviews:
                bury_review(connection, chunk, review, Reason.KILLED_WORKER, error)
        for rejection, raw in turned_away:
            bury_rejection(connection, chunk, rejection, raw)
    log.error(
        "chunk %s killed its process again and again: %s",
        chunk.chunk_id,
        f"split into {len(parts)}" if parts else "its review is a dead letter",
    )
    if parts:
        _publish(runtime, parts)


def _publish(runtime: Runtime, chunks: Sequence[Chunk]) -> None:
    """Publish what the ledger holds already: if this fails, the sweeper does it."""
    try:
        runtime.publisher.publish(chunks)
        with writing(runtime.engine) as connection:
            ledger.mark_published(connection, [chunk.chunk_id for chunk in chunks])
    except IyuError as error:
        log.warning("%s; the sweeper will publish %d chunks", error, len(chunks))


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
        ledger.finish(connection, chunk.chunk_id)
        delta = store.write(
            connection,
            scored,
            [predictions[review.review_id] for review in scored.reviews],
            runtime.scorer.artifact.model_version,
        )
        for review, error in failed:
            bury_review(connection, chunk, review, Reason.SCORING_FAILED, error)
        for rejection, raw in turned_away:
            bury_rejection(connection, chunk, rejection, raw)
    if delta is not None:
        runtime.unfolded.append(delta)
    _fold_some(runtime)


def _fold_some(runtime: Runtime) -> None:
    """Bring the daily figures of words up to date now and then; a sweep does what is left."""
    if len(runtime.unfolded) < FOLD_AT_ONCE:
        return
    ids, runtime.unfolded = runtime.unfolded, []
    try:
        fold(runtime.engine, ids)
    except DatabaseUnavailable as error:  # the chunk is stored, and what it adds is written down
        log.warning("%s; the next sweep folds %d deltas", error, len(ids))
