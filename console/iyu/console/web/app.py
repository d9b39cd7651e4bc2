"""The page as an ASGI application: addresses, languages, errors."""

from collections.abc import Callable
from typing import Any, Final

import orjson
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from iyu.console.web.filters import Filters, parse_filters
from iyu.console.web.language import COOKIE as LANGUAGE_COOKIE
from iyu.console.web.language import LANGUAGES, PARAMETER, Language, choose_language
from iyu.console.web.pages.models import comparison, model, models
from iyu.console.web.pages.overview import overview
from iyu.console.web.pages.page import Page, Site
from iyu.console.web.pages.review import review
from iyu.console.web.pages.reviews import reviews
from iyu.console.web.pages.state import state
from iyu.console.web.pages.words import word, words
from iyu.console.web.queries.answer import TimeLimit
from iyu.console.web.rendering import render, static_file
from iyu.console.web.responses import as_csv, as_html, as_json
from iyu.console.web.security import (
    COOKIE as TOKEN_COOKIE,
)
from iyu.console.web.security import (
    ENTRANCE,
    OWN_NAMES,
    Gate,
    SecurityHeaders,
    own_address,
    read_form,
)
from iyu.schemas.contract.errors import InputError, IyuError

PAGES: Final[dict[str, Callable[[Site, Filters], Page]]] = {
    "overview": overview,
    "reviews": reviews,
    "review": review,
    "words": words,
    "word": word,
    "models": models,
    "model": model,
    "comparison": comparison,
    "state": state,
}
#: Seconds a browser keeps what has its version in its address, and a language.
A_YEAR: Final = 31_536_000

BAD_REQUEST, UNAUTHORISED, UNAVAILABLE, BROKEN = 400, 401, 503, 500


def make_app(site: Site, token: str | None = None) -> Starlette:
    """Return the application. Raises SettingsError for a token that could be guessed."""
    gate = Gate(token)
    routes = [
        Route("/", _page_endpoint(site, gate, "overview")),
        Route(ENTRANCE, _entrance(gate), methods=["POST"]),
        Route("/static/{name}", _static),
        *(
            Route(f"/{name}{ending}", _page_endpoint(site, gate, name))
            for name in PAGES
            for ending in ("", ".json", ".csv")
        ),
    ]
    middleware = [Middleware(SecurityHeaders)]
    if token is None:
        middleware.append(Middleware(TrustedHostMiddleware, OWN_NAMES, www_redirect=False))
    handlers: dict[Any, Any] = {HTTPException: _http_error, Exception: _unforeseen}
    return Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)


def _page_endpoint(site: Site, gate: Gate, name: str) -> Callable[[Request], Response]:
    """Return what answers a page's three addresses."""

    def answer(request: Request) -> Response:
        if not gate.lets_in(request.url.path, request.headers, request.cookies):
            return _ask_for_token(request)
        try:
            response = _answer(site, name, request)
        except InputError as error:
            return _error(request, BAD_REQUEST, str(error))
        except TimeLimit as limit:
            return _error(request, UNAVAILABLE, str(limit))
        except IyuError as error:
            return _error(request, UNAVAILABLE, str(error))
        _keep_language(request, response)
        return response

    return answer


def _answer(site: Site, name: str, request: Request) -> Response:
    filters = parse_filters(request.query_params)
    try:
        page = PAGES[name](site, filters)
    except DBAPIError:  # the database's own words may quote a review
        raise InputError("the database does not take this search; change its filters") from None
    if request.url.path.endswith(".json"):
        return as_json(page, filters)
    if request.url.path.endswith(".csv"):
        return as_csv(page, request.query_params.get("table"))
    return as_html(page, name, filters, _language(request))


def _language(request: Request) -> Language:
    accepted = request.headers.get("accept-language", "")
    return choose_language(request.query_params, request.cookies, accepted)


def _keep_language(request: Request, response: Response) -> None:
    response.headers["Vary"] = "Accept-Language, Cookie"
    chosen = request.query_params.get(PARAMETER)
    if chosen in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, str(chosen), max_age=A_YEAR, httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip


def _static(request: Request) -> Response:
    content, media_type = static_file(request.path_params["name"])
    headers = {"Cache-Control": f"public, max-age={A_YEAR}, immutable"}
    return Response(content, media_type=media_type, headers=headers)


def _ask_for_token(request: Request, *, was_wrong: bool = False, to: str | None = None) -> Response:
    if request.url.path.endswith((".json", ".csv")):
        return _json_error(UNAUTHORISED, "give the token in a header: Authorization: Bearer …")
    here = to or f"{request.url.path}?{request.url.query}"
    context = {"was_wrong": was_wrong, "next": here, "entrance": ENTRANCE}
    html = render("token.html", _language(request), context | _frame())
    return HTMLResponse(html, UNAUTHORISED)


def _entrance(gate: Gate) -> Callable[[Request], Any]:
    async def enter(request: Request) -> Response:
        form = await read_form(request)
        to = own_address(form.get("next", "/"))
        if not gate.is_token(form.get("token", "")):
            return _ask_for_token(request, was_wrong=True, to=to)
        response = RedirectResponse(to, 303)
        response.set_cookie(
            TOKEN_COOKIE, gate.cookie(), httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return response

    return enter


def _error(request: Request, status: int, message: str) -> Response:
    if request.url.path.endswith((".json", ".csv")):
        return _json_error(status, message)
    context = {"status": status, "message": message} | _frame()
    return HTMLResponse(render("error.html", _language(request), context), status)


def _json_error(status: int, message: str) -> Response:
    return Response(orjson.dumps({"error": message}), status, media_type="application/json")


def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else BROKEN
    return _error(request, status, "there is nothing at this address; begin at the first page")


def _unforeseen(request: Request, _error_: Exception) -> Response:
    return _error(request, BROKEN, "the page broke; its reason stands in the log of iyu web")


def _frame() -> dict[str, Any]:
    """Return what the frame of a page needs where there is no page."""
    return {"page_name": "", "filters": Filters(), "is_report": False}
