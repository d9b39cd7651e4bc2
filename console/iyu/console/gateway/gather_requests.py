"""Requests that wait at the same moment, gathered into batches and chunks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from iyu.producer.batch import Batch
from iyu.producer.chunker import Chunker, Reviews
from iyu.producer.linger_buffer import Clock
from iyu.producer.producer import LIVE_CHUNK_SIZE
from iyu.schemas.contract.message import Chunk, Queue, new_id
from iyu.schemas.contract.review import Review

ORIGIN: Final = "gateway"


@dataclass(frozen=True, slots=True)
class Request:
    """The reviews of one request that may be accepted."""

    source: str
    reviews: tuple[Review, ...]
    queue: Queue = Queue.LIVE
    rejected: int = 0  # reviews that are left out

    @property
    def is_small(self) -> bool:
        """Whether it shares its batch with others: a message for each review costs workers much."""
        return self.queue is Queue.LIVE and len(self.reviews) <= LIVE_CHUNK_SIZE


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a request."""

    batch_id: str
    accepted: int  # reviews; each will be scored or become a dead letter
    repeated: int  # the same id and text were in the chunk already


@dataclass(slots=True)
class Load:
    """One batch with its chunks, of one request or of several small ones."""

    batch: Batch
    chunker: Chunker
    clock: Clock
    chunks: list[Chunk] = field(default_factory=list)
    rejected: int = 0

    def add(self, request: Request) -> Accepted:
        """Add a request's reviews; what `finish` returns holds them."""
        repeated = sum(map(self._add, request.reviews))
        self.batch.repeated += repeated
        self.rejected += request.rejected
        return Accepted(self.batch.batch_id, len(request.reviews) - repeated, repeated)

    def finish(self) -> None:
        """Close the last chunk and count."""
        self._cut(self.chunker.take())
        self.batch.count(self.chunks)

    def _add(self, review: Review) -> bool:
        """Add a review; True if it is there already."""
        before = len(self.chunker)
        closed = self.chunker.add(review)
        repeated = not closed and len(self.chunker) == before
        self._cut(closed)
        if self.chunker.is_full:
            self._cut(self.chunker.take())
        return repeated

    def _cut(self, reviews: Reviews) -> None:
        if reviews:
            batch = self.batch
            now = self.clock.now()
            self.chunks.append(
                Chunk(new_id(), batch.source, reviews, now, batch.batch_id, batch.purpose)
            )


def gather_requests(
    requests: Sequence[Request], clock: Clock, chunk_size: int
) -> tuple[list[Load], list[Accepted]]:
    """Return the batches of these requests, and what became of each request, in their order.

    Small requests of one source share a batch, and so the messages; each other has its own.
    """
    loads: list[Load] = []
    shared: dict[str, Load] = {}
    accepted: list[Accepted] = []
    for request in requests:
        load = shared.get(request.source) if request.is_small else None
        if load is None:
            load = _new_load(request, clock, chunk_size)
            loads.append(load)
            if request.is_small:
                shared[request.source] = load
        accepted.append(load.add(request))
    for load in loads:
        load.finish()
    return loads, accepted


def _new_load(request: Request, clock: Clock, chunk_size: int) -> Load:
    size = min(chunk_size, LIVE_CHUNK_SIZE) if request.queue is Queue.LIVE else chunk_size
    return Load(Batch(request.source, ORIGIN, request.queue), Chunker(size), clock)
