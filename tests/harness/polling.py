"""Wait for something with a deadline, never for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def poll(deadline_seconds: float, fn: Callable[[], T], *, every: float = 0.05) -> T:
    """Call `fn` every so many seconds until its result is true, and return that.

    Raises AssertionError at the deadline.
    """
    deadline = time.monotonic() + deadline_seconds
    while not (result := fn()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {deadline_seconds:g} s: last result was {result!r}")
        time.sleep(every)
    return result
