"""One JSON object a line (`IYU_LOG=json`), and what may be said of an error.

A line never holds a review: our own messages name ids and numbers alone, and of an error only the
type and the frames are written, for its text may quote what it stumbled over.
"""

import json
import logging
import os
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, TextIO

#: What a call may add with `extra=`; nothing else of a record is written.
FIELDS: Final = ("chunk", "batch", "queue", "reviews", "seconds", "attempts", "error", "frames")
#: Frames of an error that are written, the innermost ones.
MOST_FRAMES: Final = 12
#: Writes one line a chunk; only as JSON, for Celery writes its own about each message.
CHUNK_LOG: Final = "iyu.chunk"
_CELERYS: Final = ("celery.worker.strategy", "celery.app.trace")


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            "process": record.process,
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[1]:
            line |= describe(record.exc_info[1])
        return json.dumps(line, default=str)


def log_as_json(level: int = logging.INFO) -> None:
    """Write all of this process's logs to stderr as JSON, Celery's and other libraries' too."""
    handler = logging.StreamHandler(_stderr_for_json())
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in _CELERYS:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(CHUNK_LOG).setLevel(logging.INFO)


@cache
def _stderr_for_json() -> TextIO:
    """Return the real stderr; what writes to file descriptor 2 past Python is made JSON too.

    TensorFlow does. The pipe is read in this process and inherited by its children, so that the
    last words of a child that crashes are not lost.
    """
    real = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="replace")
    end, begin = os.pipe()
    os.dup2(begin, 2)
    os.close(begin)
    lines = os.fdopen(end, "r", encoding="utf-8", errors="replace")
    threading.Thread(target=_pass_on, args=(lines, real), name="stderr", daemon=True).start()
    return real


def _pass_on(lines: TextIO, real: TextIO) -> None:
    formatter = JsonFormatter()
    for line in lines:
        if event := line.strip():
            plain = {"name": "stderr", "levelname": "INFO", "msg": event}
            encoded = formatter.format(logging.makeLogRecord(plain)) + "\n"
            # Past Python's buffer: a fork must not find its lock taken by this thread.
            os.write(real.fileno(), encoded.encode())


def describe(error: BaseException) -> dict[str, Any]:
    """Return an error's type and frames for `extra=`: where it happened, and no value."""
    return {"error": type(error).__name__, "frames": frames(error)}


def summary(error: BaseException) -> str:
    """Return an error's type and where it was raised, for a line that people read."""
    return " < ".join([type(error).__name__, *reversed(frames(error)[-3:])])


def frames(error: BaseException) -> list[str]:
    """Return where an error came from, innermost last, `file:line function`."""
    return [line for one in _chain(error) for line in _frames(one)][-MOST_FRAMES:]


def _frames(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__):
        file = "/".join(Path(frame.filename).parts[-3:])
        yield f"{file}:{frame.lineno} {frame.name}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give an error's causes, the first one first, and the error itself."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _chain(cause)
    yield error
