"""`POST /reviews`: reviews are accepted, all or none, and answered after the ledger's commit."""

from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from iyu.console.gateway.answers import Problem, as_json
from iyu.console.gateway.body import Form, announced_size, form_of, is_packed, read_body, unpack
from iyu.console.gateway.gateway import Gateway
from iyu.console.gateway.gather_requests import Request
from iyu.console.gateway.parameters import Parameters
from iyu.console.gateway.request_log import note
from iyu.console.gateway.reviews_in_body import Parsed, parse_reviews
from iyu.console.gateway.tokens import Right
from iyu.schemas.contract.message import Queue

#: The values of `queue`, as they stand in an address.
QUEUES: Final = {"live": Queue.LIVE, "bulk": Queue.BULK}
PARAMETERS: Final = ("queue", "skip_rejected")
#: Bytes of a body that is parsed at once: a thread would cost more than the work.
PARSED_AT_ONCE: Final = 8 * 1024


async def submit_reviews(gateway: Gateway, request: HttpRequest) -> Response:
    """Accept the reviews of a body."""
    caller = await gateway.authentication.caller(request)
    caller.check(Right.SUBMIT)
    parameters = Parameters(request, PARAMETERS)
    queue = QUEUES[parameters.choice("queue", tuple(QUEUES), "live")]
    skip = parameters.flag("skip_rejected")
    form = form_of(request, Form.JSON, Form.LINES)
    size = announced_size(request)
    gateway.backlog.check()
    with gateway.memory.reserved(size):
        parsed, size = await _read(gateway, request, form)
        _check(parsed, skip=skip)
        gateway.backlog.check(size)
        gateway.backlog.take(len(parsed.admitted), size)
        accepted = await gateway.group_commit.accept(
            Request(caller.source, parsed.admitted, queue, len(parsed.rejected))
        )
    note(request, batch=accepted.batch_id, reviews=accepted.accepted)
    address = f"/batches/{accepted.batch_id}"
    answer: dict[str, Any] = {
        "batch_id": accepted.batch_id,
        "batch": address,
        "accepted": accepted.accepted,
        "repeated": accepted.repeated,
        "rejected": parsed.rejected,
    }
    return as_json(answer, HTTPStatus.ACCEPTED, Location=address)


async def _read(gateway: Gateway, request: HttpRequest, form: Form) -> tuple[Parsed, int]:
    """Return the reviews, and the bytes that they take unpacked."""
    packed = is_packed(request)
    body = await read_body(request)

    def parse() -> tuple[Parsed, int]:
        plain = unpack(body) if packed else body
        return parse_reviews(plain, form), len(plain)

    if not packed and len(body) <= PARSED_AT_ONCE:
        return parse()
    return await gateway.pools.short.run(parse)


def _check(parsed: Parsed, *, skip: bool) -> None:
    """Raise Problem for a request with rejected reviews, unless those are to be left out."""
    if not parsed.rejected or (skip and parsed.admitted):
        return
    raise Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"{len(parsed.rejected):,} of {parsed.total:,} reviews were rejected and none was "
        "accepted; correct them or leave them out, or send all with ?skip_rejected=true",
        rejected=parsed.rejected,
    )
