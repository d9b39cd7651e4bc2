"""`GET /batches/ID`: how far a batch is."""

from http import HTTPStatus
from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from iyu.console.gateway.answers import Problem, as_json
from iyu.console.gateway.gateway import Gateway
from iyu.console.gateway.parameters import Parameters
from iyu.console.gateway.tokens import Right
from iyu.schemas.contract.message_fields import is_uuid, read_uuid
from iyu.schemas.ledger.progress import batch_outcome
from iyu.schemas.sql.engine import reading
from iyu.schemas.sql.tables import batches


async def show_batch(gateway: Gateway, request: Request) -> Response:
    """Show one batch of the caller's source."""
    caller = await gateway.authentication.caller(request)
    caller.check(Right.SUBMIT)
    Parameters(request, ())
    batch_id = request.path_params["batch_id"]

    def find() -> dict[str, Any] | None:
        with reading(gateway.engine) as connection:
            return _find(connection, read_uuid(batch_id, "batch"), caller.source)

    found = await gateway.pools.queries.run(find) if is_uuid(batch_id) else None
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "this source has no such batch")
    return as_json(found)


def _find(connection: Connection, batch_id: str, source: str) -> dict[str, Any] | None:
    b = batches.c
    query = select(batches).where(b.batch_id == batch_id, b.source == source)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    outcome = batch_outcome(connection, batch_id)
    return {
        "batch_id": row.batch_id,
        "source": row.source,
        "created_at": row.created_at.isoformat(),
        "accepted": row.accepted,
        "rejected": row.rejected,
        "pending": outcome.pending,
        "scored": outcome.scored,
        "dead": outcome.dead,
        "is_finished": outcome.finished,
    }
