"""Workers that eat a backlog: their rate in each tenth, and the memory they hold."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import psutil
from sqlalchemy import Engine

from benchmarks._services import children
from iyu.schemas.ledger import progress
from iyu.schemas.sql.engine import reading
from tests.harness.services import Process

TENTHS: Final = 10
#: Seconds between two looks at the ledger.
LOOK_EVERY: Final = 0.1
#: Reviews after which a worker counts as warm.
WARM: Final = 50_000

Memory = dict[str, float]  # MiB: rss, uss (its own alone), pss (what is shared, shared out)


@dataclass(slots=True)
class Drain:
    """What was seen while a backlog went down."""

    seconds: list[float] = field(default_factory=list)  # monotonic
    done: list[int] = field(default_factory=list)  # reviews whose rows are committed
    memory_first: dict[str, list[Memory]] = field(default_factory=dict)
    memory_last: dict[str, list[Memory]] = field(default_factory=dict)

    def tenths(self) -> list[float]:
        """Return reviews/s in each tenth, by the time its first and last review were committed."""
        total = self.done[-1]
        edges = np.linspace(self.done[0], total, TENTHS + 1)
        times = np.interp(edges, self.done, self.seconds)
        return [float(rate) for rate in np.diff(edges) / np.diff(times)]


def watch_drain(engine: Engine, worker: Process, number: int) -> Drain:
    """Watch until nothing waits any more; nothing may be done yet.

    Raises RuntimeError with the worker's last output if it ends before.
    """
    drain, warm = Drain([time.perf_counter()], [0]), min(WARM, number // TENTHS)
    while drain.done[-1] < number:
        if not worker.running:
            raise RuntimeError(f"the worker ended; its output:\n{worker.output()[-3000:]}")
        with reading(engine) as connection:
            pending = progress.pending(connection)
        drain.seconds.append(time.perf_counter())
        drain.done.append(number - pending)
        if not drain.memory_first and drain.done[-1] >= warm:
            drain.memory_first = memory(worker)
        time.sleep(LOOK_EVERY)
    drain.memory_last = memory(worker)
    return drain


def memory(worker: Process) -> dict[str, list[Memory]]:
    """Return what a worker's parent and its children hold."""
    return {
        "parent": [_memory(psutil.Process(worker.pid))],
        "child": [_memory(child) for child in children(worker)],
    }


def mean(found: Sequence[Memory], kind: str) -> float:
    """Return a kind of memory of some processes, on average."""
    return sum(memory[kind] for memory in found) / len(found)


def growth(drain: Drain, kind: str) -> Mapping[str, float]:
    """Return last against first, of parent and children."""
    return {
        who: mean(drain.memory_last[who], kind) / mean(drain.memory_first[who], kind)
        for who in drain.memory_first
    }


def _memory(process: psutil.Process) -> Memory:
    found = process.memory_full_info()
    return {name: getattr(found, name) / 2**20 for name in ("rss", "uss", "pss")}
