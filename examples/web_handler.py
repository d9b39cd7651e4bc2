"""Take reviews over HTTP with the standard library alone: any WSGI server can run `application`.

python examples/web_handler.py 8000
curl -d '{"id": "4711", "text": "배송이 빨라서 좋았어요"}' http://127.0.0.1:8000/
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from wsgiref.simple_server import make_server

from iyu.producer import (
    Backlogged,
    BrokerUnavailable,
    DatabaseUnavailable,
    Producer,
    RejectedReview,
)

MAX_BYTES = 64 * 1024


@cache
def producer_of(_pid: int) -> Producer:
    """Return this process's producer: it must not cross a fork, so each process makes its own."""
    # A web request should rather fail soon than hang.
    return Producer(source="example", on_full="raise", patience=2.0)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer 202 once the review is safe."""
    status, headers = answer(environ)
    start_response(status, [("Content-Length", "0"), *headers])
    return []


def answer(environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """Return status and headers: who sent the review learns whether to send it again."""
    try:
        take(environ)
    except RejectedReview as error:
        return "422 Unprocessable Content", [("X-Reason", error.reason.value)]
    except (ValueError, KeyError, TypeError):
        return "400 Bad Request", []
    except Backlogged as error:
        return "429 Too Many Requests", [("Retry-After", f"{error.drain_seconds or 60:.0f}")]
    except (BrokerUnavailable, DatabaseUnavailable):
        return "503 Service Unavailable", [("Retry-After", "10")]
    return "202 Accepted", []


def take(environ: dict[str, Any]) -> None:
    """Read one review from the request, and return when it is safe."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not 0 < length <= MAX_BYTES:
        raise ValueError("a body of 1 byte to 64 KiB is needed")
    body = json.loads(environ["wsgi.input"].read(length))
    producer = producer_of(os.getpid())
    producer.submit(body["text"], review_id=body["id"])
    producer.flush()  # 202 is said only once the review is in the ledger


if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]), application) as server:
        server.serve_forever()
