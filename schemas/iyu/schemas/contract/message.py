"""One Celery message carries one chunk of reviews: its fields, and how they are read."""

import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

import orjson

from iyu.schemas.contract.errors import MessageError
from iyu.schemas.contract.message_fields import read_source, read_time, read_uuid
from iyu.schemas.contract.review import Reason, Rejection, Review, admit
from iyu.schemas.contract.times import FUTURE_TOLERANCE

TASK: Final = "worker.tasks.score_chunk"
MAX_REVIEWS: Final = 512
#: Bytes of the reviews as JSON in UTF-8; keeps Redis, the worker and a retry cheap.
MAX_BYTES: Final = 256 * 1024


class Queue(StrEnum):
    """The queues of submitted reviews, in the order in which a worker serves them."""

    LIVE = "reviews.live"
    BULK = "reviews.bulk"


#: In place of what is neither a text nor null: no time either.
_NO_TIME: Final = ""
#: Each model that rescores stored reviews has a queue of its own, which only its workers serve.
_RESCORE: Final = "reviews.rescore."


@dataclass(frozen=True, slots=True)
class Rescore:
    """The purpose of a chunk of stored reviews: to be scored again, by one model only."""

    model_version: str

    def __str__(self) -> str:
        """Return the name of the model's queue."""
        return rescore_queue(self.model_version)


#: Why a chunk is scored: submitted live or in bulk, or rescored. Its text is the queue's name,
#: which is what stands on the wire and in the ledger.
Purpose: TypeAlias = Queue | Rescore


@dataclass(frozen=True, slots=True)
class Chunk:
    """Reviews that travel, are scored and are stored together."""

    chunk_id: str  # UUID as text
    source: str  # 1 … 100 characters
    reviews: tuple[Review, ...]  # 1 … 512, review_id unique within the chunk
    submitted_at: datetime  # aware, UTC: decides which text of a review is newer
    batch_id: str | None = None
    purpose: Purpose = Queue.BULK

    @property
    def queue(self) -> str:
        """The name of the queue it travels through."""
        return str(self.purpose)

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """Return the task's arguments and keyword arguments, as they go on the wire."""
        args = [self.chunk_id, [[r.review_id, r.text] for r in self.reviews]]
        kwargs: dict[str, Any] = {
            "source": self.source,
            "batch_id": self.batch_id,
            "submitted_at": self.submitted_at.isoformat(),
        }
        # Only where it is known: workers of before bury a message with an unknown argument.
        if any(review.written_at for review in self.reviews):
            kwargs["written_at"] = _one_or_each([_as_text(r.written_at) for r in self.reviews])
        return args, kwargs

    def written_at(self, review: Review) -> datetime | None:
        """Return when a review of this chunk was written.

        None if unknown, and for a time after its submission: nobody submits what is yet to be
        written.
        """
        moment = review.written_at
        if moment is None or moment - FUTURE_TOLERANCE > self.submitted_at:
            return None
        return moment


def rescore_queue(model_version: str) -> str:
    """Return the queue of the stored reviews that a model is to rescore."""
    return _RESCORE + model_version


def read_purpose(queue: str) -> Purpose:
    """Return the purpose of a queue's chunks; of a queue that iyu does not know, BULK."""
    if version := queue.removeprefix(_RESCORE) if queue.startswith(_RESCORE) else "":
        return Rescore(version)
    return Queue(queue) if queue in set(Queue) else Queue.BULK


def new_id() -> str:
    """Return a fresh UUID as text."""
    return str(uuid.uuid4())


def wire_size(review: Review) -> int:
    """Return the bytes a review takes in a message's JSON (UTF-8)."""
    return len(orjson.dumps([review.review_id, review.text])) + 1


def read_chunk(
    chunk_id: object,
    reviews: object,
    source: object,
    batch_id: object,
    submitted_at: object,
    purpose: Purpose = Queue.BULK,
    written_at: object = None,
) -> tuple[Chunk, list[tuple[Rejection, object]]]:
    """Check a message's arguments; return the chunk, and each rejected review with its raw text.

    The chunk holds no review at all if every one was rejected. What is no pair of id and text is
    rejected together: a publisher that does not know the form makes one dead letter, not hundreds.

    Raises MessageError if the message as a whole breaks the contract.
    """
    if not isinstance(reviews, list) or not 1 <= len(reviews) <= MAX_REVIEWS:
        raise MessageError(f"reviews must be a list of 1 to {MAX_REVIEWS} [review_id, text] pairs")
    good, bad = _admit_all(reviews, _times(written_at, len(reviews)))
    chunk = Chunk(
        chunk_id=read_uuid(chunk_id, "chunk_id"),
        source=read_source(source),
        reviews=tuple(good.values()),
        submitted_at=read_time(submitted_at),
        batch_id=None if batch_id is None else read_uuid(batch_id, "batch_id"),
        purpose=purpose,
    )
    return chunk, bad


def _times(written_at: object, reviews: int) -> Sequence[object]:
    """Return one time a review; those of a list are checked with their reviews."""
    if not isinstance(written_at, list):
        moment = None if written_at is None else read_time(written_at, "written_at")
        return [moment] * reviews
    if len(written_at) != reviews:
        raise MessageError("written_at must be one time, or a list with a time or null a review")
    return [time if time is None or isinstance(time, str) else _NO_TIME for time in written_at]


def _admit_all(
    reviews: Sequence[object], times: Sequence[object]
) -> tuple[dict[str, Review], list[tuple[Rejection, object]]]:
    good: dict[str, Review] = {}
    bad: list[tuple[Rejection, object]] = []
    no_pairs: list[object] = []
    for pair, time in zip(reviews, times, strict=True):
        if not isinstance(pair, list) or len(pair) != 2:
            if not no_pairs:
                bad.append((Rejection("", Reason.MISSING_ID), no_pairs))
            no_pairs.append(pair)
            continue
        verdict = admit(pair[0], pair[1], time)
        if isinstance(verdict, Rejection):
            is_of_time = verdict.reason is Reason.BAD_TIME
            bad.append((verdict, [*pair, time] if is_of_time else pair[1]))
        else:
            good[verdict.review_id] = verdict  # of two texts with one id, the later wins
    return good, bad


def pack(reviews: Sequence[Review]) -> bytes:
    """Return reviews as the ledger keeps them: JSON, deflated."""
    return zlib.compress(orjson.dumps([_packed(review) for review in reviews]), level=1)


def unpack(payload: bytes) -> tuple[Review, ...]:
    """Return the reviews of a ledger payload; none if it is damaged, which its checksum shows."""
    return tuple(_unpacked(*parts) for parts in _inflated(payload))


def _inflated(payload: bytes) -> Any:
    try:
        return orjson.loads(zlib.decompress(payload))
    except zlib.error:
        return []


def _packed(review: Review) -> list[str]:
    pair = [review.review_id, review.text]
    return pair if review.written_at is None else [*pair, review.written_at.isoformat()]


def _unpacked(review_id: str, text: str, written_at: str | None = None) -> Review:
    return Review(review_id, text, datetime.fromisoformat(written_at) if written_at else None)


def _as_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _one_or_each(times: list[str | None]) -> str | list[str | None] | None:
    return times[0] if len(set(times)) == 1 else times
