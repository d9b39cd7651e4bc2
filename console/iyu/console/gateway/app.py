"""The gateway as an ASGI application."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from iyu.console.gateway.answers import GatewayFull, Problem, as_problem, problem_of
from iyu.console.gateway.body import pass_over
from iyu.console.gateway.endpoints.forget_reviews import forget_many, forget_one
from iyu.console.gateway.endpoints.read_results import read_results
from iyu.console.gateway.endpoints.show_batch import show_batch
from iyu.console.gateway.endpoints.show_health import show_health, show_life, show_openapi
from iyu.console.gateway.endpoints.submit_reviews import submit_reviews
from iyu.console.gateway.gateway import Gateway
from iyu.console.gateway.request_log import RequestLog
from iyu.console.web.security import OWN_NAMES
from iyu.schemas.contract.errors import IyuError

log = logging.getLogger("iyu.gateway")

Handler = Callable[[Gateway, Request], Awaitable[Response]]

ROUTES: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("POST", "/reviews", submit_reviews),
    ("POST", "/reviews/forget", forget_many),
    ("DELETE", "/reviews/{review_id:anything}", forget_one),
    ("GET", "/batches/{batch_id}", show_batch),
    ("GET", "/results", read_results),
    ("GET", "/health", show_health),
    ("GET", "/health/live", show_life),
    ("GET", "/openapi.json", show_openapi),
)


class _Anything(Convertor[str]):
    """Whatever stands at the end of an address: slashes and line feeds too."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        """Return it as it is."""
        return value

    def to_string(self, value: str) -> str:
        """Return it as it is."""
        return value


register_url_convertor("anything", _Anything())


def make_app(gateway: Gateway, *, is_open: bool = False) -> ASGIApp:
    """Return the application.

    is_open: no token is asked for, so a foreign site must not reach it under a name of its own.
    """
    middleware = [Middleware(RequestLog, broken=as_problem(_broken()))]
    if is_open:
        middleware.append(Middleware(TrustedHostMiddleware, OWN_NAMES, www_redirect=False))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with gateway.working():
            yield

    return Starlette(
        routes=[
            Route(path, _endpoint(gateway, handler), methods=[method])
            for method, path, handler in ROUTES
        ],
        middleware=middleware,
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )


def _endpoint(gateway: Gateway, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await handler(gateway, request)
        except Problem as problem:
            if "Connection" in problem.headers:  # the body is not read to its end
                await pass_over(request)
            return as_problem(problem)
        except IyuError as error:
            if not isinstance(error, GatewayFull):
                log.warning("%s", error)
            return as_problem(problem_of(error))

    return answer


def _http_error(_request: Request, error: Exception) -> Response:
    """Answer for an address, or a method, that there is not."""
    status, headers = HTTPStatus.NOT_FOUND, {}
    if isinstance(error, HTTPException):
        status, headers = HTTPStatus(error.status_code), dict(error.headers or {})
    detail = "there is nothing at this address; /openapi.json has those that there are"
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"this address takes {headers.get('Allow', 'another method')}"
    return as_problem(Problem(status, detail, headers=headers))


def _broken() -> Problem:
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "the gateway broke, and it is not known whether anything was done; its log says where, "
        "and sending the same again does no harm",
    )
