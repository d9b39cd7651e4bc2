"""The description of the gateway (OpenAPI 3.1), with the limits that the code has."""

from importlib import metadata
from typing import Any, Final

from iyu.console.gateway.answers import PROBLEM_TYPE
from iyu.console.gateway.body import FORMS, MAX_BODY, Form
from iyu.console.gateway.openapi_parts import (
    COMPONENTS,
    CURSOR,
    answer,
    in_path,
    parameter,
    problems,
    ref,
)

_ABOUT: Final = (
    "Hand Korean reviews over, and get their scores. Each token is of one source, and sees that "
    "source alone. Every request may be sent again: a review that is handed over twice is one."
)


def make_document() -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "iyu gateway", "version": _version(), "description": _ABOUT},
        "security": [{"token": []}],
        "paths": {
            "/reviews": {"post": _submit()},
            "/reviews/forget": {"post": _forget_many()},
            "/reviews/{review_id}": {"delete": _forget_one()},
            "/batches/{batch_id}": {"get": _show_batch()},
            "/results": {"get": _read_results()},
            "/health": {"get": _open("Whether reviews can be accepted", "Health", 503)},
            "/health/live": {"get": _open("Whether this process answers", "Life")},
            "/openapi.json": {"get": _open("This document", "Document")},
        },
        "components": COMPONENTS,
    }


def _submit() -> dict[str, Any]:
    one_or_many = {"oneOf": [ref("Review"), ref("Reviews")]}
    lines = {"type": "string", "description": "A review a line, each a JSON object."}
    return {
        "operationId": "submitReviews",
        "summary": "Hand reviews over: all are accepted, or none",
        "description": (
            "Answers once the reviews are in the ledger: from then on each is scored or becomes a "
            f"dead letter. The body has at most {MAX_BODY} bytes, also when unpacked, and may be "
            "gzip (Content-Encoding)."
        ),
        "parameters": [
            parameter(
                "queue",
                {"type": "string", "enum": ["live", "bulk"], "default": "live"},
                "live is served first; bulk is for what nobody waits for",
            ),
            parameter(
                "skip_rejected",
                {"type": "boolean", "default": False},
                "Accept the others where some are rejected; the answer lists those",
            ),
        ],
        "requestBody": {
            "required": True,
            "content": {
                name: {"schema": one_or_many if form is Form.JSON else lines}
                for name, form in FORMS.items()
            },
        },
        "responses": {
            "202": answer("Accepted", "Accepted", Location="The address of the batch"),
            "422": answer("Some were rejected, none was accepted", "Rejected", PROBLEM_TYPE),
            **problems(400, 401, 403, 408, 413, 415, 429, 500, 503),
        },
    }


def _forget_many() -> dict[str, Any]:
    return {
        "operationId": "forgetReviews",
        "summary": "Erase reviews everywhere, all or none",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ref("ReviewIds")}},
        },
        "responses": {
            "200": answer("Erased", "Erased"),
            "422": answer("Ids that no review can have", "Rejected", PROBLEM_TYPE),
            **problems(400, 401, 403, 408, 413, 415, 500, 503),
        },
    }


def _forget_one() -> dict[str, Any]:
    return {
        "operationId": "forgetReview",
        "summary": "Erase one review everywhere; it need not be there",
        "parameters": [in_path("review_id", {"type": "string", "minLength": 1})],
        "responses": {
            "200": answer("Erased", "Erased"),
            "422": answer("An id that no review can have", "Rejected", PROBLEM_TYPE),
            **problems(400, 401, 403, 500, 503),
        },
    }


def _show_batch() -> dict[str, Any]:
    return {
        "operationId": "showBatch",
        "summary": "How far a batch is",
        "parameters": [in_path("batch_id", {"type": "string"})],
        "responses": {
            "200": answer("The batch", "Batch"),
            **problems(400, 401, 403, 404, 500, 503),
        },
    }


def _read_results() -> dict[str, Any]:
    return {
        "operationId": "readResults",
        "summary": "What was stored after a cursor, in an order without gaps",
        "parameters": [
            parameter("after", CURSOR, "0, now, or the `after` of the page before", required=True),
            parameter("label", {"type": "string", "enum": ["positive", "negative"]}, "Only these"),
            parameter("below", {"type": "number"}, "Only probabilities below this"),
            parameter("above", {"type": "number"}, "Only probabilities above this"),
            parameter("with_heat", {"type": "boolean", "default": False}, "Add each token's heat"),
        ],
        "responses": {
            "200": answer("A page", "Page"),
            "410": answer("What follows this cursor is no longer kept", "Problem",
                          PROBLEM_TYPE),
            **problems(400, 401, 403, 500, 503),
        },
    }  # fmt: skip


def _open(summary: str, schema: str, *more: int) -> dict[str, Any]:
    responses = {"200": answer(summary, schema)}
    responses |= {str(status): answer(summary, schema) for status in more}
    return {"summary": summary, "security": [], "responses": responses | problems(500)}


def _version() -> str:
    try:
        return metadata.version("iyu")
    except metadata.PackageNotFoundError:  # run from a folder
        return "0"
