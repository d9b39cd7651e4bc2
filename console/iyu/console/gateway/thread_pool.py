"""Blocking work in threads of its own, so that the event loop always answers."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class ThreadPool:
    """A few threads for one kind of work: a long query holds up no commit."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"gateway-{name}")

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work()` returns."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Wait for what runs, and end the threads."""
        self._pool.shutdown()
