"""A clock whose every reading is later than the one before."""

import threading
from datetime import datetime, timedelta

from iyu.schemas.contract.review import utc_now


class Clock:
    """Tells the time of acceptance: of two texts of one review the later one must win."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = utc_now()

    def now(self) -> datetime:
        """Return the time in UTC, at least a microsecond after the last reading."""
        with self._lock:
            self._last = max(utc_now(), self._last + timedelta(microseconds=1))
            return self._last
