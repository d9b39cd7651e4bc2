"""Messages as kombu keeps them in Redis, made without Celery."""

import uuid
from base64 import b64encode
from typing import Any, Final

import orjson

from iyu.schemas.contract.review import Reason
from iyu.schemas.ledger.dead_letters import MAX_RAW_LENGTH

BURY_TASK: Final = "worker.tasks.bury_message"
SWEEP_TASK: Final = "worker.tasks.sweep"
#: Header of a message that failed for a reason nobody foresaw: how often. It counts what the
#: ledger cannot: a message whose row cannot be written.
FAILURES: Final = "iyu_failures"


def burial_message(raw: str, reason: Reason, error: str, queue: str) -> bytes:
    """Return the message of the task that makes a dead letter of `raw`."""
    # A lone surrogate cannot be written as JSON.
    text = raw[:MAX_RAW_LENGTH].encode("utf-8", "replace").decode()
    body = orjson.dumps([[text, reason, error], {}, None])
    return message(headers(BURY_TASK, str(uuid.uuid4())), b64encode(body).decode(), queue)


def headers(task: str, message_id: str) -> dict[str, Any]:
    """Return Celery's headers, new ones: a publisher's may hold review texts or a past expiry."""
    return {
        "lang": "py",
        "task": task,
        "id": message_id,
        "root_id": message_id,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": f"({message_id})",
        "kwargsrepr": "{}",
    }


def message(head: dict[str, Any], body: str, queue: str, encoding: str | None = "base64") -> bytes:
    """Return a message as kombu keeps it in a Redis list."""
    properties = {
        "body_encoding": encoding,
        "delivery_mode": 2,
        # Ours: of two messages with one tag, kombu would forget the first.
        "delivery_tag": str(uuid.uuid4()),
        # By the queue's own name it can be put back even when Redis has forgotten all bindings.
        "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": 0,
    }
    return orjson.dumps(
        {
            "body": body,
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": head,
            "properties": properties,
        }
    )
