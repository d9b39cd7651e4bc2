"""Gathers reviews into chunks within the limits of a message."""

from collections.abc import Iterable, Iterator

from iyu.schemas.contract.message import MAX_BYTES, MAX_REVIEWS, wire_size
from iyu.schemas.contract.review import Review

Reviews = tuple[Review, ...]


class Chunker:
    """Holds the reviews of the chunk that is being filled."""

    def __init__(self, max_reviews: int = MAX_REVIEWS, max_bytes: int = MAX_BYTES) -> None:
        self._max_reviews = max_reviews
        self._max_bytes = max_bytes
        self._reviews: dict[str, Review] = {}
        self._bytes = 1  # brackets, less one comma

    def __len__(self) -> int:
        """Count the reviews gathered."""
        return len(self._reviews)

    @property
    def is_full(self) -> bool:
        """Whether no further review has room, whatever its length."""
        return len(self._reviews) >= self._max_reviews

    def add(self, review: Review) -> Reviews:
        """Gather a review; return the chunk that had to be closed before it, or ().

        A chunk closes when it is full, and before a second text of a review it holds: the later
        text goes into a later chunk and wins. The same text again changes nothing.
        """
        size = wire_size(review)
        known = self._reviews.get(review.review_id)
        if known is not None and known.text == review.text:
            if review.written_at is not None:  # it may be the first that says so
                self._reviews[review.review_id] = review
            return ()
        closed: Reviews = ()
        if known is not None or (self._reviews and not self._has_room(size)):
            closed = self.take()
        self._reviews[review.review_id] = review
        self._bytes += size
        return closed

    def take(self) -> Reviews:
        """Return the gathered reviews, perhaps (), and begin an empty chunk."""
        taken = tuple(self._reviews.values())
        self._reviews = {}
        self._bytes = 1
        return taken

    def _has_room(self, size: int) -> bool:
        return not self.is_full and self._bytes + size <= self._max_bytes


def chunked(
    reviews: Iterable[Review], max_reviews: int = MAX_REVIEWS, max_bytes: int = MAX_BYTES
) -> Iterator[Reviews]:
    """Yield chunks of reviews, in order; none is empty."""
    chunker = Chunker(max_reviews, max_bytes)
    for review in reviews:
        if closed := chunker.add(review):
            yield closed
    if last := chunker.take():
        yield last
