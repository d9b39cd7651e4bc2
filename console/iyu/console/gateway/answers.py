"""What the gateway answers: JSON, and a problem (RFC 9457) where something is wrong."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.responses import Response

from iyu.schemas.contract.errors import Backlogged, BrokerFull, DatabaseUnavailable, IyuError

PROBLEM_TYPE: Final = "application/problem+json"
#: Nothing here is for a browser, or for a cache on the way.
_SAFE: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
#: Seconds after which a request is worth another try where the database did not answer.
DATABASE_RETRY: Final = 5
#: Seconds to wait where nobody scores, so that no drain time is known.
UNKNOWN_DRAIN: Final = 30
#: A client looks again after at most this many seconds: workers may have been added.
LONGEST_WAIT: Final = 300


class Problem(Exception):
    """A request that is not done: status, what to do next, and what else is known."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more
        super().__init__(detail)


class GatewayFull(IyuError):
    """Nothing more is taken for now. seconds: until it is worth asking again."""

    def __init__(self, cause: Backlogged | BrokerFull, seconds: float | None) -> None:
        wait = UNKNOWN_DRAIN if seconds is None else seconds
        self.seconds = int(min(max(1, wait), LONGEST_WAIT))
        super().__init__(str(cause))


def as_json(content: Any, status: HTTPStatus = HTTPStatus.OK, **headers: str) -> Response:
    """Return an answer; in the names of headers, _ is -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(orjson.dumps(content), status, _SAFE | named, media_type="application/json")


def as_problem(problem: Problem) -> Response:
    """Return the answer that a problem is."""
    content = {
        "status": problem.status.value,
        "title": problem.status.phrase,
        "detail": problem.detail,
    }
    return Response(
        orjson.dumps(content | problem.more),
        problem.status,
        _SAFE | problem.headers,
        media_type=PROBLEM_TYPE,
    )


def problem_of(error: IyuError) -> Problem:
    """Return what the client of a request that failed for a foreseen reason is told.

    Addresses of the database and the broker stay in the log: they are nobody's business outside.
    """
    if isinstance(error, GatewayFull):
        return Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too many reviews are pending and nothing was accepted; send it again after "
            f"{error.seconds} s",
            headers={"Retry-After": str(error.seconds)},
        )
    if isinstance(error, DatabaseUnavailable):
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "the database does not answer, and it is not known whether anything was done; send "
            f"the same again after {DATABASE_RETRY} s",
            headers={"Retry-After": str(DATABASE_RETRY)},
        )
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the gateway cannot do this now; its log says why",
        headers={"Retry-After": str(UNKNOWN_DRAIN)},
    )
