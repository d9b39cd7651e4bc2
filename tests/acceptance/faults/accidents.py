"""`iyu worker` with an accident built in: python -m tests.acceptance.faults.accidents NAME."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from iyu.worker import chunk as tasks
from iyu.worker.rows import write_chunk as rows
from iyu.worker.scoring import Prediction, Scorer
from iyu.worker.service import child_process as process
from iyu.worker.service.celery_app import run_worker
from iyu.worker.settings import WorkerSettings

#: A review with this word ends the process that scores it.
MARKER = "폭탄"


def deadly_review() -> None:
    """A review with the marker kills its process."""
    score = Scorer.score

    def deadly(self: Scorer, texts: Sequence[str]) -> list[Prediction]:
        if any(MARKER in text for text in texts):
            os.kill(os.getpid(), signal.SIGKILL)
        return score(self, texts)

    Scorer.score = deadly  # type: ignore[method-assign]


def hanging_review() -> None:
    """A review with the marker never ends."""
    score = Scorer.score

    def hanging(self: Scorer, texts: Sequence[str]) -> list[Prediction]:
        while any(MARKER in text for text in texts):
            signal.pause()
        return score(self, texts)

    Scorer.score = hanging  # type: ignore[method-assign]


def slow() -> None:
    """A review takes a millisecond more, so that an accident finds work under way."""
    score = Scorer.score

    def slowed(self: Scorer, texts: Sequence[str]) -> list[Prediction]:
        threading.Event().wait(len(texts) * 0.001)
        return score(self, texts)

    Scorer.score = slowed  # type: ignore[method-assign]


def death_after_commit() -> None:
    """The first time, worker and child die between the commit and the acknowledgement."""
    done = Path(os.environ["IYU_TEST_FLAG"])
    after_commit = tasks._add_to_keyword_days

    def deadly(*args: Any) -> None:
        after_commit(*args)
        if not done.exists():
            done.touch()
            os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

    tasks._add_to_keyword_days = deadly


def unforeseen_error() -> None:
    """A chunk with the marker raises what nobody foresaw, before its row is written or after."""
    begin, write = tasks.ledger.begin, tasks.rows.write

    def raising(step: Callable[..., Any], last: str) -> Callable[..., Any]:
        def raise_for_marker(connection: Any, chunk: Any, *args: Any) -> Any:
            text = "".join(review.text for review in chunk.reviews)
            if MARKER in text and text.endswith(last):
                raise KeyError(text)
            return step(connection, chunk, *args)

        return raise_for_marker

    tasks.ledger.begin = raising(begin, "0")
    tasks.rows.write = raising(write, "1")


def broken_model() -> None:
    """The model loads, and then fails on every review."""
    load = process.WorkerProcess._load

    def fail(_self: Scorer, _texts: Sequence[str]) -> list[Prediction]:
        raise OSError(28, "No space left on device")

    def load_and_break(self: process.WorkerProcess) -> None:
        load(self)
        Scorer.score = fail  # type: ignore[method-assign]

    process.WorkerProcess._load = load_and_break  # type: ignore[method-assign]


def freeze_in_transaction() -> None:
    """The first time, the whole worker freezes with its rows written and not committed."""
    done = Path(os.environ["IYU_TEST_FLAG"])
    write = rows.write

    def freezing(*args: Any) -> int | None:
        written = write(*args)
        if not done.exists():
            done.touch()
            os.kill(os.getppid(), signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)
        return written

    rows.write = freezing


def no_model() -> None:
    """A child cannot load its model."""

    def fail(_self: object) -> None:
        raise RuntimeError("the test does not want it to load")

    process.WorkerProcess._load = fail  # type: ignore[method-assign, assignment]


def silence() -> None:
    """Messages are never taken, although all is well."""
    from iyu.worker.transport import redis_transport as transport

    transport._Channel._brpop_start = lambda _self, timeout=None: None


ACCIDENTS: dict[str, Callable[[], None]] = {
    accident.__name__: accident
    for accident in (
        deadly_review,
        hanging_review,
        slow,
        death_after_commit,
        unforeseen_error,
        broken_model,
        freeze_in_transaction,
        no_model,
        silence,
    )
}

if __name__ == "__main__":
    ACCIDENTS[sys.argv[1]]()
    sys.exit(run_worker(WorkerSettings.load(concurrency=1)))
