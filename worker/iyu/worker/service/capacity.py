"""A worker takes a message only for a process that has its model.

Celery takes one for each process, loaded or not: a live review then waits for a model to load,
half a minute, while another worker idles.
"""

from collections.abc import Callable
from typing import Any

from celery import bootsteps
from celery.worker import state


class LoadedProcesses:
    """How many processes of this worker are up; unknown (0) until its pool has started."""

    def __init__(self) -> None:
        self._pool: Any = None  # Celery's AsynPool

    def watch(self, pool: Any) -> None:
        """Count the processes of this pool from now on."""
        self._pool = pool

    def count(self) -> int:
        """Return the processes that have said that they can work: their model is loaded."""
        return len(self._pool._all_inqueues) if self._pool is not None else 0

    def are_all(self) -> bool:
        """Say whether every process can work."""
        return self._pool is not None and 0 < len(self._pool._pool) <= self.count()


def take_only_for_loaded(loaded: LoadedProcesses) -> type[bootsteps.StartStopStep]:
    """Return the consumer's step that takes no more messages than loaded processes can begin."""

    class TakeOnlyForLoaded(bootsteps.StartStopStep):  # type: ignore[misc]
        requires = ("celery.worker.consumer.tasks:Tasks",)

        def start(self, consumer: Any) -> None:
            """Limit the channel; it is a new one after each reconnection."""
            loaded.watch(consumer.pool._pool)
            qos = consumer.task_consumer.channel.qos
            can_consume: Callable[[], bool] = qos.can_consume

            def can_begin() -> bool:
                return len(state.reserved_requests) < loaded.count() and can_consume()

            qos.can_consume = can_begin

    return TakeOnlyForLoaded
