"""Counters that only grow while the process lives, whatever is deleted below them."""


class Growing:
    """Remembers what was last seen of each counter, and adds what came since."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, ...], float] = {}
        self._total: dict[tuple[str, ...], float] = {}

    def at(self, *key: str, seen: float) -> float:
        """Return the counter's value now.

        A fall (rows that were erased) is no decrease of the counter, and what is counted after it
        is an increase again.
        """
        before = self._seen.get(key, 0.0)
        self._seen[key] = seen
        self._total[key] = self._total.get(key, 0.0) + max(seen - before, 0.0)
        return self._total[key]
