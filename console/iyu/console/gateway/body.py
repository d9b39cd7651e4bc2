"""The body of a request: read within limits of size and time, and unpacked."""

import asyncio
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect, Request

from iyu.console.gateway.answers import Problem

#: Bytes of a body, as it is sent and unpacked: a thousand reviews of the longest kind in Korean
#: need a tenth of that for each megabyte of text.
MAX_BODY: Final = 4 * 1024 * 1024
#: Seconds within which a body must have arrived.
BODY_SECONDS: Final = 30.0
#: Bytes and seconds of a refused body that are still read, so that the answer arrives.
MAX_PASSED_OVER: Final = 16 * 1024 * 1024
PASS_SECONDS: Final = 5.0
#: Bytes of all bodies that are in memory at once.
MAX_IN_MEMORY: Final = 64 * 1024 * 1024
#: Bytes that are unpacked at once.
SLICE: Final = 4096
_GZIP: Final = 16 + zlib.MAX_WBITS


class Form(StrEnum):
    """How the reviews stand in a body."""

    JSON = "json"
    LINES = "lines"


#: The types of a body, and how it is read.
FORMS: Final = {
    "application/json": Form.JSON,
    "application/jsonl": Form.LINES,
    "application/jsonlines": Form.LINES,
    "application/x-jsonlines": Form.LINES,
    "application/x-ndjson": Form.LINES,
    "application/ndjson": Form.LINES,
}


@dataclass(slots=True)
class Memory:
    """Counts the bytes of bodies that are being read, so that many at once cannot fill memory."""

    limit: int = MAX_IN_MEMORY
    used: int = field(default=0, init=False)

    @contextmanager
    def reserved(self, size: int) -> Iterator[None]:
        """Count so many bytes until the end. Raises Problem where there is no room."""
        if self.used + size > self.limit:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too many large requests at once and nothing was accepted; send it again after 1 s",
                headers={"Retry-After": "1"},
            )
        self.used += size
        try:
            yield
        finally:
            self.used -= size


def announced_size(request: Request) -> int:
    """Return the most bytes that this body can take. Raises Problem for one that is too large."""
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdecimal()):  # chunked: it may become as large as any
        return MAX_BODY
    if int(length[:20]) > MAX_BODY:
        raise too_large(is_unread=True)
    return MAX_BODY if is_packed(request) else int(length)


def form_of(request: Request, *forms: Form) -> Form:
    """Return how the body is written. Raises Problem for a type that is not among `forms`."""
    kind, *parameters = (part.strip() for part in _header(request, "content-type").split(";"))
    form = FORMS.get(kind)
    charsets = [p.partition("=")[2].strip('"') for p in parameters if p.startswith("charset=")]
    if form not in forms or any(charset not in {"utf-8", "utf8"} for charset in charsets):
        wanted = ", ".join(name for name, form in FORMS.items() if form in forms)
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"send the body as UTF-8 with a Content-Type of: {wanted}",
            headers={"Accept-Post": wanted},
        )
    return form


def is_packed(request: Request) -> bool:
    """Whether the body is gzip. Raises Problem for any other encoding."""
    encoding = _header(request, "content-encoding")
    if encoding in {"", "identity"}:
        return False
    if encoding in {"gzip", "x-gzip"}:
        return True
    raise Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "this Content-Encoding is not understood; send gzip, or the body as it is",
        headers={"Accept-Encoding": "gzip, identity"},
    )


async def read_body(request: Request) -> bytes:
    """Return the body as it was sent. Raises Problem where it is too large or too slow."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY:
                    raise too_large(is_unread=True)
                parts.append(part)
    except TimeoutError:
        raise Problem(
            HTTPStatus.REQUEST_TIMEOUT,
            f"the body did not arrive within {BODY_SECONDS:.0f} s and nothing was accepted",
            headers={"Connection": "close"},
        ) from None
    except ClientDisconnect:  # nobody reads this answer
        raise Problem(HTTPStatus.BAD_REQUEST, "the body ended too early") from None
    return b"".join(parts)


async def pass_over(request: Request) -> None:
    """Read what is left of a body that is refused, up to a limit.

    A client that is still sending would see a broken connection in place of the answer.
    """
    size = 0
    with suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(PASS_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > MAX_PASSED_OVER:
                    return


def unpack(packed: bytes) -> bytes:
    """Return what a gzip body holds. Raises Problem where that is too large, or damaged."""
    parts, size, member = [], 0, None
    # In slices: each gzip file of many, one behind the other, copies what comes after it.
    for at in range(0, len(packed), SLICE):
        rest = packed[at : at + SLICE]
        while rest := rest if member else rest.lstrip(b"\0"):
            member = member or zlib.decompressobj(_GZIP)
            try:
                part = member.decompress(rest, MAX_BODY + 1 - size)
            except zlib.error:
                raise _damaged() from None
            size += len(part)
            if size > MAX_BODY:
                raise too_large()
            parts.append(part)
            if not member.eof:
                break
            rest, member = member.unused_data, None
    if member:
        raise _damaged()
    return b"".join(parts)


def too_large(*, is_unread: bool = False) -> Problem:
    """Return the problem of a body that is too large."""
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"a body has at most {MAX_BODY:,} bytes, also when unpacked, and nothing was accepted; "
        "send it in parts",
        headers={"Connection": "close"} if is_unread else None,
    )


def _damaged() -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "the body is no whole gzip file; nothing was accepted")


def _header(request: Request, name: str) -> str:
    return request.headers.get(name, "").strip().lower()
