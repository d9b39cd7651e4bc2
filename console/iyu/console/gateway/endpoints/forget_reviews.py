"""`DELETE /reviews/ID` and `POST /reviews/forget`: reviews are erased everywhere."""

from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_to_bytes

import orjson
from starlette.requests import Request
from starlette.responses import Response

from iyu.console.gateway.answers import Problem, as_json
from iyu.console.gateway.authentication import Caller
from iyu.console.gateway.body import Form, announced_size, form_of, is_packed, read_body, unpack
from iyu.console.gateway.gateway import Gateway
from iyu.console.gateway.parameters import Parameters
from iyu.console.gateway.request_log import note
from iyu.console.gateway.tokens import Right
from iyu.schemas.contract.review import Rejection, admit
from iyu.schemas.erasure.forget import forget_reviews
from iyu.schemas.erasure.forget_all import PART
from iyu.schemas.sql.engine import writing

#: Ids of one request: they are erased in one transaction, all or none.
MAX_IDS: Final = PART
_PATH: Final = b"/reviews/"


async def forget_one(gateway: Gateway, request: Request) -> Response:
    """Erase the review that the address names."""
    caller = await _allowed(gateway, request)
    return await _forget(gateway, request, caller, [_id_in_path(request)])


async def forget_many(gateway: Gateway, request: Request) -> Response:
    """Erase the reviews that the body names."""
    caller = await _allowed(gateway, request)
    form_of(request, Form.JSON)
    with gateway.memory.reserved(announced_size(request)):
        body = await read_body(request)
        ids = _ids(unpack(body) if is_packed(request) else body)
        return await _forget(gateway, request, caller, ids)


async def _allowed(gateway: Gateway, request: Request) -> Caller:
    caller = await gateway.authentication.caller(request)
    caller.check(Right.FORGET)
    Parameters(request, ())
    return caller


async def _forget(
    gateway: Gateway, request: Request, caller: Caller, given: Sequence[object]
) -> Response:
    ids = _checked(given)

    def erase() -> dict[str, int]:
        with writing(gateway.engine) as connection:
            return asdict(forget_reviews(connection, caller.source, ids))

    erased = await gateway.pools.queries.run(erase)
    note(request, reviews=len(ids))
    return as_json(erased)


def _id_in_path(request: Request) -> str:
    """Return the id from the address as it was sent: %2F in it is no slash between its parts."""
    raw: bytes = request.scope["raw_path"].partition(b"?")[0]
    try:
        return unquote_to_bytes(raw[raw.index(_PATH) + len(_PATH) :]).decode()
    except UnicodeDecodeError:
        raise Problem(HTTPStatus.BAD_REQUEST, "the id in the address is not UTF-8") from None


def _ids(body: bytes) -> Sequence[object]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = None
    ids = content.get("review_ids") if isinstance(content, dict) else None
    if not isinstance(ids, list) or len(content) > 1:
        raise Problem(HTTPStatus.BAD_REQUEST, 'give {"review_ids": ["…", …]} as JSON')
    if not 1 <= len(ids) <= MAX_IDS:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"a request has 1 to {MAX_IDS:,} review_ids and nothing was erased",
        )
    return ids


def _checked(given: Sequence[object]) -> list[str]:
    verdicts = [admit(one, "-") for one in given]  # a text that is always admitted
    rejected = [
        {"index": index, "review_id": "", "reason": str(verdict.reason)}
        for index, verdict in enumerate(verdicts)
        if isinstance(verdict, Rejection)
    ]
    if rejected:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"{len(rejected):,} of {len(verdicts):,} ids cannot be those of a review, and "
            "nothing was erased",
            rejected=rejected,
        )
    return [verdict.review_id for verdict in verdicts]
