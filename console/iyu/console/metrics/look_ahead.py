"""Looks that take longer than a scrape may: the last one is shown while the next is made."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from time import monotonic
from typing import Final, Generic, TypeVar

#: Seconds for which a look is shown; then a scrape waits for a new one.
OLDEST_SECONDS: Final = 60.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look(Generic[T]):
    """What was found, and when."""

    found: T
    began: float


class LookAhead(Generic[T]):
    """Looks at once, or in the background where the last look found much; one caller at a time.

    All that a look finds is of one snapshot and is kept whole: of sums whose parts differ in age, a
    review would be missing or counted twice.
    """

    def __init__(
        self,
        look: Callable[[], T],
        is_large: Callable[[T], bool],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._look = look
        self._is_large = is_large
        self._clock = clock
        self._last: Look[T] | None = None
        self._next: Future[Look[T]] | None = None

    def read(self) -> tuple[T, float]:
        """Return what a look finds and how many seconds ago it began: now, or the last time.

        Raises what the look raises.
        """
        if self._next is not None and (self._next.done() or not self._may_be_shown()):
            made, self._next, self._last = self._next, None, None
            self._last = made.result()
        last = self._last
        if last is None or not self._may_be_shown():
            self._last = None  # after an error there is nothing to show
            self._last = last = self._make()
        elif self._next is None:
            self._next = self._begin()
        return last.found, self._clock() - last.began

    def _may_be_shown(self) -> bool:
        last = self._last
        return (
            last is not None
            and self._is_large(last.found)
            and self._clock() - last.began <= OLDEST_SECONDS
        )

    def _make(self) -> Look[T]:
        began = self._clock()
        return Look(self._look(), began)

    def _begin(self) -> "Future[Look[T]]":
        future: Future[Look[T]] = Future()

        def look() -> None:
            try:
                future.set_result(self._make())
            except Exception as error:
                future.set_exception(error)

        # Not of a pool: whoever ends the process does not wait for it.
        Thread(target=look, name="iyu-look-ahead", daemon=True).start()
        return future
