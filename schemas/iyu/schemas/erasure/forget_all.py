"""Forget many reviews part by part: each transaction is short, and a stop loses nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from sqlalchemy import Engine

from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import Rejection, admit
from iyu.schemas.erasure.forget import Erased, forget_reviews
from iyu.schemas.sql.engine import writing

#: Reviews of one transaction: each reads all payloads of pending chunks once, and keeps workers
#: from storing reviews of the source for a second or two.
PART: Final = 2_000


def forget_all(
    engine: Engine,
    source: str,
    review_ids: Iterable[str | int],
    on_progress: Callable[[int], None] = lambda _count: None,
) -> Erased:
    """Erase reviews; what was done when it breaks off stays done, and may be repeated.

    Raises InputError for what no review can have as its id, DatabaseUnavailable.
    """
    erased = Erased(0, 0, 0)
    done = 0
    for part in in_parts(map(_checked, review_ids)):
        with writing(engine) as connection:
            erased += forget_reviews(connection, source, part)
        done += len(part)
        on_progress(done)
    return erased


def in_parts(review_ids: Iterable[str]) -> Iterator[Sequence[str]]:
    """Yield the ids of one transaction at a time."""
    remaining = iter(review_ids)
    while part := list(islice(remaining, PART)):
        yield part


def _checked(review_id: str | int) -> str:
    verdict = admit(review_id, "-")  # a text that is always admitted
    if isinstance(verdict, Rejection):
        raise InputError(f"{review_id!r} cannot be the id of a review: {verdict.reason}")
    return verdict.review_id
