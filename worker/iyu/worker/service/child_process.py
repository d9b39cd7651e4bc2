"""What one worker process holds: settings, engine, model, publisher; loaded in the child."""

import ctypes
import gc
import logging
import os
import sys
from contextlib import suppress
from multiprocessing import Event
from typing import Any, Final

from celery import Celery

from iyu.schemas.broker.publisher import Publisher
from iyu.schemas.sql.engine import LOCK_MS, connect
from iyu.worker.chunk import Runtime
from iyu.worker.settings import WorkerSettings

log = logging.getLogger("iyu.worker")

#: New containers until the youngest generation is looked through: a few chunks' worth.
GC_THRESHOLD: Final = 50_000


class WorkerProcess:
    """A child of the worker; the parent never loads it (TensorFlow does not fork)."""

    def __init__(self, settings: WorkerSettings, app: Celery) -> None:
        self._settings = settings
        self._app = app
        self._runtime: Runtime | None = None
        #: Set in a child, seen by the parent: made before the fork.
        self.load_failed = Event()

    def load(self, **_: Any) -> None:
        """Load everything, or end the process and let the parent know that none can work."""
        try:
            self._load()
        except Exception as error:
            # Celery would log it and go on with a process that fails every chunk.
            log.critical("the model cannot be loaded: %s: %s", type(error).__name__, error)
            self.load_failed.set()
            os._exit(1)

    @property
    def runtime(self) -> Runtime:
        """The process's parts."""
        if self._runtime is None:
            self.load()
        if self._runtime is None:  # pragma: no cover - load has set it, or ended the process
            raise RuntimeError("a worker process without its parts")
        return self._runtime

    def _load(self) -> None:
        """Load model and vocabulary, and run once so that everything is compiled."""
        _limit_threads(self._settings.threads)
        from iyu.worker.scoring import Scorer

        scorer = Scorer.load(self._settings.model, self._settings.methods)
        scorer.warm_up()
        scorer.score(["준비"])
        self._runtime = Runtime(
            settings=self._settings,
            # Well within the time limit: a locked database is no reason to kill the process.
            engine=connect(
                self._settings.database,
                busy_ms=min(LOCK_MS, 250 * self._settings.task_time_limit),
                idle_ms=1_000 * self._settings.task_time_limit,
            ),
            scorer=scorer,
            publisher=Publisher(self._app, self._settings.broker),
        )
        settle_memory()
        log.info("model %s is ready", scorer.artifact.model_version)


def settle_memory() -> None:
    """Give back what loading left, and keep the garbage collector from what stays for good.

    TensorFlow leaves a million objects behind, and a chunk makes ten thousand dicts: with Python's
    defaults a fifth of a worker's time went into looking through both. Compiling leaves 80 MB that
    the C library would keep.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # only glibc has it
            ctypes.CDLL(None).malloc_trim(0)


def _limit_threads(threads: int) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
