"""Every element of a queue is checked here before Celery sees it.

By itself Celery logs the body of a message that it cannot read and drops the message; an element
that is no kombu message ends the worker. Here an element either becomes a clean message, or is
replaced by a call of `worker.tasks.bury_message` that carries it, and is acknowledged like any
other task once the dead letter is committed. Bodies are only ever decoded as JSON.
"""

import binascii
import json
import re
import uuid
import zlib
from base64 import b64decode, b64encode
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import orjson

from iyu.schemas.contract.errors import MessageError
from iyu.schemas.contract.message import TASK
from iyu.schemas.contract.readable_parts import show_message
from iyu.schemas.contract.review import Reason
from iyu.schemas.ledger.dead_letters import MAX_RAW_LENGTH
from iyu.worker.transport import envelope as write
from iyu.worker.transport.envelope import BURY_TASK, FAILURES, SWEEP_TASK

#: Bytes of an element, and of its body once inflated. 256 KiB of reviews are at most 0.8 MB as
#: JSON escapes and 1.1 MB in base64.
MAX_ELEMENT: Final = 1_500_000
MAX_BODY: Final = 1_000_000
#: Celery's names for the one compression that is accepted.
_DEFLATED: Final = {"zlib", "gzip", "application/x-gzip"}
_JSON_TYPE: Final = re.compile(
    r"application/json *(; *charset *= *\"?(utf-?8|us-ascii)\"? *)?", re.IGNORECASE
)
#: What Celery puts beside the arguments. Any other name would change its own record of the task.
_CALLBACKS: Final = {"callbacks", "errbacks", "chain", "chord"}
_MAX_COUNT: Final = 100
_ID: Final = re.compile(r"[0-9A-Za-z-]{1,100}")
#: Levels of lists and objects a body may have; Python's own decoder fails at about a thousand.
_MAX_DEPTH: Final = 20


def admit_message(element: bytes, queue: str) -> bytes:
    """Return a message that Celery can take, whatever was in the queue."""
    try:
        return _clean(element, queue)
    except MessageError as error:
        return write.burial_message(_readable(element), Reason.BAD_MESSAGE, str(error), queue)
    except Exception as error:  # whatever it is, it must not end the worker
        text = element[:MAX_RAW_LENGTH].decode("utf-8", "replace")
        why = f"it cannot be read: {type(error).__name__}"
        return write.burial_message(text, Reason.BAD_MESSAGE, why, queue)


def _clean(element: bytes, queue: str) -> bytes:
    """Check one element. Raises MessageError."""
    if len(element) > MAX_ELEMENT:
        raise MessageError(f"it has {len(element):,} bytes, {MAX_ELEMENT:,} are allowed")
    envelope = _object(_json(element), "the message")
    headers = _object(envelope.get("headers"), "headers")
    name, message_id = headers.get("task"), headers.get("id")
    if name == SWEEP_TASK:
        return _sweep(headers, queue)
    if name not in (TASK, BURY_TASK):  # no set: it may be a list, which has no hash
        raise MessageError(f"its header `task` does not name {TASK}")
    if not isinstance(message_id, str) or not _ID.fullmatch(message_id):
        raise MessageError("its header `id` is no UUID as text")
    args, kwargs, embed = _read_body(_body(envelope, headers))
    clean = write.headers(str(name), message_id)
    failures = headers.get(FAILURES)
    if isinstance(failures, int) and 0 < failures <= _MAX_COUNT:
        clean[FAILURES] = int(failures)
    if isinstance(embed, list):  # Celery expects an object
        body = json.dumps([args, kwargs, None]).encode()
        return write.message(clean, b64encode(body).decode(), queue)
    if headers.get("compression"):
        clean["compression"] = "application/x-gzip"
    encoding = _object(envelope.get("properties"), "properties").get("body_encoding")
    return write.message(clean, envelope["body"], queue, "base64" if encoding == "base64" else None)


def _body(envelope: dict[str, Any], headers: dict[str, Any]) -> str:
    """Return the body as text."""
    if not _JSON_TYPE.fullmatch(str(envelope.get("content-type"))):
        raise MessageError("its content-type is not application/json, and nothing else is read")
    if str(envelope.get("content-encoding")).lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise MessageError("its content-encoding is not utf-8")
    body, properties = envelope.get("body"), _object(envelope.get("properties"), "properties")
    if not isinstance(body, str):
        raise MessageError("its body is no text")
    try:
        plain = body.encode()
        if properties.get("body_encoding") == "base64":
            plain = b64decode(plain, validate=True)
        return _inflate(plain, headers.get("compression")).decode()
    except (binascii.Error, zlib.error, UnicodeError):
        raise MessageError("its body cannot be decoded") from None


def _inflate(data: bytes, compression: object) -> bytes:
    if compression is None:
        return data
    if not isinstance(compression, str) or compression not in _DEFLATED:
        raise MessageError("its compression is not zlib")
    inflater = zlib.decompressobj()
    inflated = inflater.decompress(data, MAX_BODY + 1)
    if len(inflated) > MAX_BODY:
        raise MessageError(f"its body has more than {MAX_BODY:,} bytes")
    if not inflater.eof:
        raise MessageError("its body cannot be decoded")
    return inflated


def _read_body(body: str) -> list[Any]:
    """Return args, kwargs and embed. Raises MessageError."""
    if len(body) > MAX_BODY:
        raise MessageError(f"its body has more than {MAX_BODY:,} bytes")
    decoded = _json(body)
    if not isinstance(decoded, list) or len(decoded) != 3:
        raise MessageError("its body is not [args, kwargs, embed]")
    args, kwargs, embed = decoded
    if not isinstance(args, list):
        raise MessageError("its args are no list")
    _object(kwargs, "kwargs")
    if embed is not None and embed != []:
        callbacks = _object(embed, "embed")
        if any(callbacks.values()) or callbacks.keys() - _CALLBACKS:
            raise MessageError("it carries callbacks, and none are run")
    _check_depth(decoded, _MAX_DEPTH)
    return decoded


def _check_depth(value: object, left: int) -> None:
    """Refuse what kombu cannot decode: deep nesting, and objects of its own types."""
    if not isinstance(value, list | dict):
        return
    if not left:
        raise MessageError("its body is nested too deeply")
    if isinstance(value, dict):
        if value.keys() == {"__type__", "__value__"}:
            raise MessageError("its body holds a typed object; lists and texts only")
        value = list(value.values())
    for part in value:
        _check_depth(part, left - 1)


def _json(data: bytes | str) -> object:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:  # lone surrogates and NaN are rejected later, review by review
        return json.loads(data)
    except (ValueError, RecursionError):
        raise MessageError("it is not JSON") from None


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MessageError(f"{name} is no JSON object")
    return value


def _sweep(headers: dict[str, Any], queue: str) -> bytes:
    clean = write.headers(SWEEP_TASK, str(uuid.uuid4()))
    with suppress(ValueError, TypeError, KeyError):
        clean["expires"] = datetime.fromisoformat(headers["expires"]).isoformat()
    return write.message(clean, b64encode(b"[[],{},null]").decode(), queue)


def _readable(element: bytes) -> str:
    """Return what is easiest to read: headers and the decoded body, or else the element."""
    text = element[:MAX_ELEMENT].decode("utf-8", "replace")
    try:
        envelope = _object(_json(element[:MAX_ELEMENT]), "the message")
        headers = _object(envelope.get("headers"), "headers")
        body: object = _body(envelope, headers)
        with suppress(MessageError):
            body = _json(str(body))
        return show_message({"headers": headers, "body": body})
    except (MessageError, RecursionError):
        return text
