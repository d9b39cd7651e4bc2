"""The way of a chunk through a worker: begin, score, store."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from iyu.schemas.broker.publisher import Publisher
from iyu.schemas.contract.errors import ArtifactError, DatabaseUnavailable, DatabaseUnusable
from iyu.schemas.contract.logs import CHUNK_LOG, describe, summary
from iyu.schemas.contract.message import Chunk, Rescore
from iyu.schemas.contract.review import Reason, Rejection, Review
from iyu.schemas.erasure.late_messages import is_erased
from iyu.schemas.erasure.lock import lock_for_storing
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.chunks import Begun
from iyu.schemas.ledger.dead_letters import bury_rejection
from iyu.schemas.sql.engine import writing
from iyu.worker.bury_reused import bury_if_reused
from iyu.worker.failing_model import ModelCheck, ModelFails
from iyu.worker.rows import write_chunk as rows
from iyu.worker.rows.add_to_keyword_days import DELTAS_AT_ONCE, add_deltas
from iyu.worker.scoring import Prediction, Scorer
from iyu.worker.settings import WorkerSettings
from iyu.worker.split_or_bury import is_used_up, split_or_bury
from iyu.worker.store_chunk import Failed, Scored, ScoredChunk, closing_chunk, store_by_halves

log = logging.getLogger("iyu.worker")
chunk_log = logging.getLogger(CHUNK_LOG)
chunk_log.setLevel(logging.WARNING)

#: Reviews that were rejected on arrival, with their raw text.
Rejected = Sequence[tuple[Rejection, object]]


@dataclass(slots=True)
class Runtime:
    """The real parts of one worker process, handed in once."""

    settings: WorkerSettings
    engine: Engine
    scorer: Scorer
    publisher: Publisher
    #: Chunks that the database failed, whose attempt is yet to be taken back.
    handed_back: list[str] = field(default_factory=list)
    registered: bool = False  # as a model that serves
    serves_bulk: bool = True  # where messages wait that failed for a reason nobody foresaw
    model_check: ModelCheck = field(default_factory=ModelCheck)
    #: Ids of `day_deltas` that this process wrote and has not added to `keyword_days` yet.
    deltas: list[int] = field(default_factory=list)


def score_chunk(runtime: Runtime, chunk: Chunk, rejected: Rejected) -> None:
    """Score a chunk and store its rows, once.

    Raises DatabaseUnavailable: nothing was written, the same call may work later; ModelFails
    likewise; ArtifactError for a chunk that only another model may score.
    """
    _check_model(runtime, chunk)
    start = monotonic()
    begun = _begin(runtime, chunk, rejected)
    if begun is None:
        bury_if_reused(runtime.engine, chunk, rejected)
        return
    chunk = _as_arrived(chunk, begun)
    try:
        if is_used_up(begun, runtime.settings.max_attempts):
            error = f"its worker process died in each of {begun.attempts - 1} attempts"
            reason = Reason.KILLED_WORKER
            accepted_at = begun.accepted_at
            split_or_bury(runtime.engine, runtime.publisher, chunk, accepted_at, reason, error)
            return
        scored, failed = _score_all(runtime, chunk)
        version = runtime.scorer.artifact.model_version
        result = ScoredChunk(chunk, begun, version, scored, failed)
        try:
            with closing_chunk(runtime.engine, result) as part:
                delta = None
                if part is not None:
                    delta = rows.write(part.connection, part.chunk, part.predictions, version)
        except DBAPIError as error:
            runtime.deltas += store_by_halves(runtime.engine, result, error)
            delta = None
    except DatabaseUnavailable as error:
        runtime.handed_back.append(chunk.chunk_id)
        if isinstance(error, DatabaseUnusable):  # it answers, and may stay so for long
            _hand_back(runtime)
        raise
    except ModelFails:
        with writing(runtime.engine) as connection:
            ledger.hand_back(connection, [chunk.chunk_id])
        raise
    _log_done(chunk, begun, len(scored), monotonic() - start)
    _add_to_keyword_days(runtime, delta)


def _check_model(runtime: Runtime, chunk: Chunk) -> None:
    """Refuse another model's chunk: this worker's folder may have been overwritten meanwhile."""
    purpose, here = chunk.purpose, runtime.scorer.artifact.model_version
    if isinstance(purpose, Rescore) and purpose.model_version != here:
        raise ArtifactError(
            f"this worker's model is {here}, the chunk is for {purpose.model_version}; "
            "start the worker again with that model"
        )


def _begin(runtime: Runtime, chunk: Chunk, rejected: Rejected) -> Begun | None:
    """Commit the attempt, and what was rejected on arrival, before the process can die of it.

    None if the chunk is finished, or another one has its id.
    """
    serves = not isinstance(chunk.purpose, Rescore)  # rescoring is a trial
    with writing(runtime.engine) as connection:
        if rejected:
            lock_for_storing(connection, chunk.source)
        if runtime.handed_back:
            ledger.hand_back(connection, runtime.handed_back)
        if not runtime.registered:
            artifact = runtime.scorer.artifact
            rows.register_model(
                connection, artifact.model_version, artifact.manifest, activate=serves
            )
        begun = ledger.begin(connection, chunk)
        if begun and begun.attempts == 1:  # the ledger's own copy has none of them
            chunk = _as_arrived(chunk, begun)
            for rejection, raw in rejected:
                if not is_erased(connection, chunk, rejection.review_id):
                    bury_rejection(connection, chunk, rejection, raw)
    runtime.handed_back.clear()
    runtime.registered = runtime.registered or serves
    return begun


def _as_arrived(chunk: Chunk, begun: Begun) -> Chunk:
    """Return the chunk with the time it counts as: of the future, that of its arrival."""
    return replace(chunk, submitted_at=begun.arrived_at) if begun.arrived_at else chunk


def _score_all(runtime: Runtime, chunk: Chunk) -> tuple[Scored, Failed]:
    """Score a chunk. Raises ModelFails where not its reviews are at fault."""
    try:
        predictions = runtime.scorer.score([review.text for review in chunk.reviews])
    except Exception as error:
        runtime.model_check.failed(runtime.scorer, type(error).__name__)
        return _score(runtime.scorer.score, chunk.reviews)
    runtime.model_check.passed()
    return list(zip(chunk.reviews, predictions, strict=True)), []


def _score(
    score: Callable[[Sequence[str]], list[Prediction]], reviews: Sequence[Review]
) -> tuple[Scored, Failed]:
    """Score reviews together; if that fails, find those that fail by halving."""
    try:
        predictions = score([review.text for review in reviews])
        return list(zip(reviews, predictions, strict=True)), []
    except Exception as error:
        if len(reviews) == 1:
            log.error("a review cannot be scored (%s)", summary(error), extra=describe(error))
            return [], [(reviews[0], type(error).__name__)]
    middle = len(reviews) // 2
    first, first_failed = _score(score, reviews[:middle])
    second, second_failed = _score(score, reviews[middle:])
    return first + second, first_failed + second_failed


def _log_done(chunk: Chunk, begun: Begun, reviews: int, seconds: float) -> None:
    chunk_log.info(
        "chunk done",
        extra={
            "chunk": chunk.chunk_id,
            "batch": chunk.batch_id,
            "queue": chunk.queue,
            "reviews": reviews,
            "attempts": begun.attempts,
            "seconds": round(seconds, 4),
        },
    )


def _hand_back(runtime: Runtime) -> None:
    """Take attempts back at once; where that fails too, `_begin` does it later."""
    with suppress(DatabaseUnavailable):
        with writing(runtime.engine) as connection:
            ledger.hand_back(connection, runtime.handed_back)
        runtime.handed_back.clear()


def _add_to_keyword_days(runtime: Runtime, delta: int | None) -> None:
    """Bring the daily figures of words up to date every few chunks; sweeps add what is left."""
    if delta is not None:
        runtime.deltas.append(delta)
    if len(runtime.deltas) < DELTAS_AT_ONCE:
        return
    ids, runtime.deltas = runtime.deltas, []
    try:
        add_deltas(runtime.engine, ids)
    except DatabaseUnavailable as error:  # the deltas are committed, any worker can add them
        log.warning("%s; the next sweep adds %d chunks' words", error, len(ids))
