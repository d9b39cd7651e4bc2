"""`GET /results?after=CURSOR`: the results feed of one source, page by page."""

from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import Any, Final

from sqlalchemy import Connection, Engine
from starlette.requests import Request
from starlette.responses import Response

from iyu.console.gateway.answers import Problem, as_json
from iyu.console.gateway.gateway import Gateway
from iyu.console.gateway.parameters import Parameters
from iyu.console.gateway.tokens import Right
from iyu.schemas.results import Cursor, CursorError, Filter, end_of_feed, read_batch, with_heat
from iyu.schemas.sql.engine import reading

PARAMETERS: Final = ("after", "label", "below", "above", "with_heat")
LABELS: Final = ("", "positive", "negative")
#: Seconds for which a page that is still empty looks on: other sources' lines are passed over.
LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Question:
    after: Cursor | None  # None: the present end
    wanted: Filter
    heat: bool


async def read_results(gateway: Gateway, request: Request) -> Response:
    """Give what was stored after a cursor."""
    caller = await gateway.authentication.caller(request)
    caller.check(Right.READ)
    question = _question(request, caller.source)
    return as_json(await gateway.pools.queries.run(lambda: _answer(gateway.engine, question)))


def _question(request: Request, source: str) -> _Question:
    given = Parameters(request, PARAMETERS)
    after = given.text("after")
    if after is None:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "give after=CURSOR: the `after` of the page before, 0 for the beginning, or now",
        )
    label = given.choice("label", LABELS, "") or None
    wanted = Filter((source,), label, given.number("below"), given.number("above"))
    return _Question(_cursor(after), wanted, given.flag("with_heat"))


def _cursor(text: str) -> Cursor | None:
    try:
        return None if text == "now" else Cursor.parse(text)
    except CursorError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from None


def _answer(engine: Engine, question: _Question) -> dict[str, Any]:
    try:
        with reading(engine) as connection:
            return _read(connection, question)
    except CursorError as error:  # of another database, or what follows it was pruned
        raise Problem(HTTPStatus.GONE, str(error)) from None


def _read(connection: Connection, question: _Question) -> dict[str, Any]:
    after = question.after or end_of_feed(connection)
    until = monotonic() + LOOK_SECONDS
    while True:
        batch = read_batch(connection, after, question.wanted)
        after = batch.after
        if batch.results or batch.is_last or monotonic() > until:
            break
    lines = with_heat(connection, batch.results) if question.heat else batch.results
    return {
        "results": [line.to_dict() for line in lines],
        "after": str(after),
        "is_last": batch.is_last,
    }
