"""`GET /health`, `/health/live` and `/openapi.json`: what anybody may see."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from iyu.console.gateway.answers import as_json
from iyu.console.gateway.gateway import Gateway
from iyu.console.gateway.openapi import make_document


async def show_health(gateway: Gateway, _request: Request) -> Response:
    """Say whether reviews can be accepted; the last look decides, so that nobody causes one."""
    backlog = gateway.backlog
    sides = {
        "database": "ok" if backlog.database_answers else "down",
        "broker": "ok" if backlog.broker_answers else "down",
    }
    status = HTTPStatus.OK if backlog.database_answers else HTTPStatus.SERVICE_UNAVAILABLE
    return as_json(sides, status)


async def show_life(_gateway: Gateway, _request: Request) -> Response:
    """Say that this process answers."""
    return as_json({"gateway": "ok"})


async def show_openapi(_gateway: Gateway, _request: Request) -> Response:
    """Describe every address (OpenAPI 3.1)."""
    return as_json(make_document())
