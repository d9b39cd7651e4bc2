"""What the description of the gateway is put together from."""

from http import HTTPStatus
from typing import Any, Final

from iyu.console.gateway.answers import PROBLEM_TYPE
from iyu.console.gateway.reviews_in_body import MAX_REVIEWS
from iyu.schemas.contract.review import MAX_ID_LENGTH, MAX_TEXT_LENGTH, Reason
from iyu.schemas.erasure.forget_all import PART
from iyu.schemas.results import Kind

CURSOR: Final = {"type": "string", "minLength": 1}
_COUNT: Final = {"type": "integer", "minimum": 0}
_TIME: Final = {"type": "string", "format": "date-time"}
_SIDE: Final = {"type": "string", "enum": ["ok", "down"]}
_TEXT: Final = {"type": "string"}
#: orjson reads longer numbers as fractions, which are no ids.
_INTEGER: Final = {"type": "integer", "minimum": -(2**63), "maximum": 2**64 - 1}
_NOT_BLANK: Final = {"type": "string", "minLength": 1, "pattern": r"\S"}
_ID: Final = {
    "oneOf": [_NOT_BLANK | {"maxLength": MAX_ID_LENGTH}, _INTEGER],
    "description": "Unique within the source, without NUL; a number is taken as its digits.",
}
_DETAIL: Final = {"status": {"type": "integer"}, "title": _TEXT, "detail": _TEXT}


def ref(name: str) -> dict[str, str]:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def thing(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of an object that has these fields and no others."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def parameter(
    name: str, schema: dict[str, Any], description: str, *, required: bool = False
) -> dict[str, Any]:
    """Return a parameter that stands behind the ? of an address."""
    where = {"name": name, "in": "query", "required": required}
    return where | {"schema": schema, "description": description}


def in_path(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter that is part of the address, %-encoded."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


def answer(
    description: str, schema: str, media_type: str = "application/json", **headers: str
) -> dict[str, Any]:
    """Return an answer."""
    found: dict[str, Any] = {
        "description": description,
        "content": {media_type: {"schema": ref(schema)}},
    }
    named = {name: {"description": text, "schema": _TEXT} for name, text in headers.items()}
    return found | ({"headers": named} if named else {})


def problems(*statuses: int) -> dict[str, Any]:
    """Return what the address answers where something is wrong."""
    return {
        str(status): answer(HTTPStatus(status).phrase, "Problem", PROBLEM_TYPE)
        for status in statuses
    }


_REJECTION: Final = thing(
    {
        "index": _COUNT,
        "review_id": _TEXT,
        "reason": {"type": "string", "enum": [str(reason) for reason in Reason]},
    }
)
_RESULT: Final = thing(
    {
        "event_id": _TEXT,
        "cursor": _TEXT,
        "kind": {"type": "string", "enum": [str(kind) for kind in Kind]},
        "happened_at": _TIME,
    },
    {
        "source": _TEXT,
        "review_id": _TEXT,
        "model": _TEXT,
        "model_version": _TEXT,
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
        "label": {"type": "string", "enum": ["positive", "negative"]},
        "submitted_at": _TIME,
        "written_at": _TIME,
        "text": _TEXT,
        "heat": {"type": "array", "items": {"type": "object"}},
    },
)
_REVIEW: Final = thing(
    {"review_id": _ID, "text": _NOT_BLANK | {"maxLength": MAX_TEXT_LENGTH}},
    {"written_at": _TIME | {"type": ["string", "null"]}},
)

COMPONENTS: Final[dict[str, Any]] = {
    "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    "schemas": {
        "Review": _REVIEW,
        "Reviews": {
            "type": "array", "items": ref("Review"), "minItems": 1, "maxItems": MAX_REVIEWS,
        },
        "ReviewIds": thing(
            {"review_ids": {"type": "array", "items": _ID, "minItems": 1, "maxItems": PART}}
        ),
        "Accepted": thing(
            {
                "batch_id": _TEXT, "batch": _TEXT, "accepted": _COUNT, "repeated": _COUNT,
                "rejected": {"type": "array", "items": ref("Rejection")},
            }
        ),
        "Rejection": _REJECTION,
        "Problem": thing(_DETAIL),
        "Rejected": thing(_DETAIL, {"rejected": {"type": "array", "items": ref("Rejection")}}),
        "Batch": thing(
            {
                "batch_id": _TEXT, "source": _TEXT, "created_at": _TIME, "accepted": _COUNT,
                "rejected": _COUNT, "pending": _COUNT, "scored": {"type": "integer"},
                "dead": _COUNT, "is_finished": {"type": "boolean"},
            }
        ),
        "Result": _RESULT,
        "Page": thing(
            {
                "results": {"type": "array", "items": ref("Result")}, "after": _TEXT,
                "is_last": {"type": "boolean"},
            }
        ),
        "Erased": thing({"stored": _COUNT, "pending": _COUNT, "letters": _COUNT}),
        "Health": thing({"database": _SIDE, "broker": _SIDE}),
        "Life": thing({"gateway": _SIDE}),
        "Document": {"type": "object"},
    },
}  # fmt: skip
