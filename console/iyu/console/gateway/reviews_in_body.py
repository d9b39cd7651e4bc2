"""The reviews of a body, each admitted or rejected by itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from itertools import islice
from typing import Any, Final

import orjson

from iyu.console.gateway.answers import Problem
from iyu.console.gateway.body import Form
from iyu.schemas.contract.review import Reason, Rejection, Review, admit

#: Reviews of one request: more would make its transaction long.
MAX_REVIEWS: Final = 10_000
#: What a review is given by; anything else is a mistake that should not pass unseen.
FIELDS: Final = frozenset({"review_id", "text", "written_at"})
_NO_REVIEW: Final = object()


@dataclass(frozen=True, slots=True)
class Parsed:
    """The reviews of a request in their order."""

    admitted: tuple[Review, ...]
    rejected: tuple[dict[str, Any], ...]  # index (from 0), review_id, reason

    @property
    def total(self) -> int:
        """All reviews of the request."""
        return len(self.admitted) + len(self.rejected)


def parse_reviews(body: bytes, form: Form) -> Parsed:
    """Return what a body holds. Raises Problem for a body that cannot be read at all."""
    items = _lines(body) if form is Form.LINES else _items(body)
    if not items:
        raise Problem(HTTPStatus.BAD_REQUEST, "the body holds no review")
    if len(items) > MAX_REVIEWS:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"a request has at most {MAX_REVIEWS:,} reviews and nothing was accepted; "
            "send them in parts",
        )
    verdicts = [_admit(item) for item in items]
    return Parsed(
        tuple(verdict for verdict in verdicts if isinstance(verdict, Review)),
        tuple(_rejected(verdicts)),
    )


def _items(body: bytes) -> Sequence[object]:
    """Return the elements of an array; one object is one review."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # Of the message the place alone: the rest may quote the body.
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            f"the body is no JSON in UTF-8 (line {error.lineno}, column {error.colno}); "
            "nothing was accepted",
        ) from None
    if isinstance(content, dict):
        return [content]
    if isinstance(content, list):
        return content
    raise Problem(
        HTTPStatus.BAD_REQUEST,
        'give a review as {"review_id": …, "text": …}, or an array of those',
    )


def _lines(body: bytes) -> Sequence[object]:
    # One more than the limit shows that it is passed; the rest need not be read.
    lines = (line for line in BytesIO(body) if line.strip())
    return [_line(line) for line in islice(lines, MAX_REVIEWS + 1)]


def _line(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return _NO_REVIEW


def _admit(item: object) -> Review | Rejection:
    if not isinstance(item, dict) or not item.keys() <= FIELDS:
        verdict = admit(item.get("review_id"), "-") if isinstance(item, dict) else None
        known = verdict.review_id if verdict is not None else ""
        return Rejection(known, Reason.MALFORMED_ROW)
    return admit(item.get("review_id"), item.get("text"), item.get("written_at"))


def _rejected(verdicts: Sequence[Review | Rejection]) -> Iterator[dict[str, Any]]:
    for index, verdict in enumerate(verdicts):
        if isinstance(verdict, Rejection):
            yield {"index": index, "review_id": verdict.review_id, "reason": str(verdict.reason)}
