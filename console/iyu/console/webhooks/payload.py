"""Lines of the feed to messages that a receiver can take: small, and with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from iyu.schemas.contract.review import utc_now
from iyu.schemas.results import Result, strongest_words

#: Bytes of a message; receivers and the specification expect small ones.
MAX_BYTES: Final = 20_000
#: Words a scored review comes with: those with the most heat, whatever its sign.
WORDS: Final = 5
#: Characters of such a word.
MAX_SURFACE: Final = 50
#: Lines in a message at most.
MAX_LINES: Final = 100
#: Room for what stands around the lines.
_FRAME: Final = 200


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: JSON, and how many lines it holds."""

    body: str
    lines: int


def make_messages(connection: Connection, results: Sequence[Result]) -> list[Message]:
    """Return messages of at most MAX_BYTES that hold these lines, in order."""
    words = strongest_words(connection, results, WORDS)
    messages: list[Message] = []
    lines: list[bytes] = []
    for result in results:
        line = orjson.dumps(_line(result, words.get((result.source, result.review_id))))
        size = sum(map(len, lines)) + len(lines)
        if lines and (len(lines) == MAX_LINES or size + len(line) > MAX_BYTES - _FRAME):
            messages.append(_message(lines))
            lines = []
        lines.append(line)
    return [*messages, _message(lines)] if lines else messages


def empty_message() -> Message:
    """Return a message without a line, to see whether calls arrive."""
    return _message([])


def _line(result: Result, words: Sequence[dict[str, Any]] | None) -> dict[str, Any]:
    # Not the text: it can be longer than a message, and whoever is called has it by its id.
    line = {k: v for k, v in result.to_dict().items() if k not in {"text", "cursor"}}
    if words is None:
        return line
    # MeCab takes a long run of one script for one word.
    return line | {"words": [word | {"surface": word["surface"][:MAX_SURFACE]} for word in words]}


def _message(lines: Sequence[bytes]) -> Message:
    now = utc_now().isoformat()
    head = orjson.dumps({"type": "iyu.results", "timestamp": now})[:-1]
    body = head + b',"data":{"results":[' + b",".join(lines) + b"]}}"
    return Message(body.decode(), len(lines))
