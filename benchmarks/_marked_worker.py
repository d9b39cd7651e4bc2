"""`iyu worker` that writes down when each stage of its start is over.

    IYU_BENCHMARK_MARKS=FILE python -m benchmarks._marked_worker worker …

The stages are marked around the worker's own functions; nothing is done that it would not do.
"""

import functools
import os
import time
from collections.abc import Callable
from typing import Any

_MARKS = os.environ["IYU_BENCHMARK_MARKS"]


def mark(name: str) -> None:
    """Append a stage: its name, the process, the time (seconds since the epoch)."""
    with open(_MARKS, "a", encoding="utf-8") as file:
        file.write(f"{name}\t{os.getpid()}\t{time.time()!r}\n")


def _marked(function: Callable[..., Any], before: str | None, after: str | None) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if before:
            mark(before)
        result = function(*args, **kwargs)
        if after:
            mark(after)
        return result

    return call


def _mark_scorer() -> None:
    """Mark the scorer's stages: here TensorFlow is imported already, in the child."""
    from iyu.worker.scoring import Scorer

    Scorer.load = _marked(Scorer.load, None, "loaded")  # type: ignore[method-assign]


def main() -> None:
    """Run `iyu` with the marks in place."""
    mark("python")
    from celery import signals

    from iyu.console.main import main as iyu
    from iyu.worker.service import celery_tasks as entry
    from iyu.worker.service import child_process as process

    signals.worker_ready.connect(lambda **_: mark("connected"), weak=False)
    limit = process._limit_threads

    def limit_threads(threads: int) -> None:
        mark("forked")
        limit(threads)
        mark("tensorflow")
        _mark_scorer()

    process._limit_threads = limit_threads
    process.settle_memory = _marked(process.settle_memory, "warm", "ready")
    vars(entry)["score_chunk"] = _marked(vars(entry)["score_chunk"], "taken", "stored")
    iyu()


if __name__ == "__main__":
    main()
