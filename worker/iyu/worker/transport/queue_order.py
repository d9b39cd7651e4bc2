"""In which order a worker looks into the lists of Redis."""

from kombu.utils.scheduling import priority_cycle

from iyu.schemas.broker.redis_contents import lists_of


class by_queue(priority_cycle):  # type: ignore[misc]  # noqa: N801 - named like kombu's own
    """Every priority of a queue before the next queue: live reviews never wait behind bulk.

    kombu by itself asks for one priority of all queues after the other. A worker's transport is
    told that there is no other priority than 0, and this names every list.
    """

    def consume(self, n: int) -> list[str]:
        """Return the lists of `n` queues, the first to be served first."""
        return [name for queue in super().consume(n) for name in lists_of(queue)]
