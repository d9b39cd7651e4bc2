"""One deadline for a whole call, whatever a receiver sends and how slowly.

httpcore limits each read by itself. A receiver that sends a byte every few seconds, or answers
"100 Continue" for ever, would keep a process, and every other receiver waits for it.
"""

from time import monotonic
from typing import Any

import httpcore


class CallDeadline(httpcore.NetworkBackend):
    """Another backend, whose connections end with the call's time."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend
        self._end = float("inf")

    def begin(self, seconds: float) -> None:
        """Give the next call so many seconds."""
        self._end = monotonic() + seconds

    def left(self, timeout: float | None) -> float:
        """Return the seconds for one step. Raises ReadTimeout where there are none."""
        seconds = self._end - monotonic()
        if seconds <= 0:
            raise httpcore.ReadTimeout("the call took too long as a whole")
        return seconds if timeout is None else min(seconds, timeout)

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **options: Any
    ) -> httpcore.NetworkStream:
        """Connect within what is left."""
        stream = self._backend.connect_tcp(host, port, self.left(timeout), *args, **options)
        return _Stream(stream, self)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: CallDeadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
