"""One process of a worker, a child: it loads the model, and connects to database and broker."""

import ctypes
import gc
import logging
import os
import sys
import threading
from contextlib import suppress
from multiprocessing import Event, Value
from multiprocessing.synchronize import Event as EventType
from typing import TYPE_CHECKING, Any, Final

from celery import Celery

from iyu.schemas.broker.publisher import Publisher
from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.logs import describe, summary
from iyu.schemas.sql.engine import LOCK_MS, connect
from iyu.worker import compile_cache
from iyu.worker.chunk import Runtime
from iyu.worker.failing_model import WARM_UP_TEXT, ModelCheck
from iyu.worker.settings import WorkerSettings

if TYPE_CHECKING:
    from iyu.worker.scoring import Scorer

log = logging.getLogger("iyu.worker")

#: New containers before the garbage collector scans the youngest generation: a few chunks' worth.
GC_THRESHOLD: Final = 50_000

#: Seconds between two looks, while loading, whether the worker is to stop.
LOOK_EVERY: Final = 0.5


class WorkerProcess:
    """A child of the worker; the parent never loads it (TensorFlow does not fork)."""

    def __init__(self, settings: WorkerSettings, app: Celery, *, serves_bulk: bool = True) -> None:
        self._settings = settings
        self._serves_bulk = serves_bulk
        self._app = app
        self._runtime: Runtime | None = None
        #: Set in a child, seen by the parent: made before the fork.
        self.load_failed = Event()
        #: Set in the parent, seen by the children: made before the fork too.
        self._stopping = Event()
        #: What the worker ends with, if a child stops it; 0: nothing to say.
        self.exit_code = Value("i", 0)

    def load(self, **_: Any) -> None:
        """Load everything, or end the process and tell the parent that no process can work."""
        loaded = threading.Event()
        arguments = (self._stopping, loaded)
        threading.Thread(target=_end_if_stopping, args=arguments, daemon=True).start()
        try:
            self._load()
        except Exception as error:
            # Celery would log it and keep a process that fails every chunk.
            what = f"{type(error).__name__}: {error}"
            log.critical("the model cannot be loaded: %s", what, extra=describe(error))
            self.load_failed.set()
            os._exit(1)
        finally:
            loaded.set()

    def stop_loading(self, **_: Any) -> None:
        """End the processes that are still loading: they hold no message, and a stop waits."""
        self._stopping.set()

    def stop_worker(self, exit_code: int) -> None:
        """Let the parent end the worker once its processes have finished what they do."""
        self.exit_code.value = exit_code
        self.load_failed.set()

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
        scorer = _warm_scorer(self._settings)
        scorer.score([WARM_UP_TEXT])
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
            serves_bulk=self._serves_bulk,
            model_check=ModelCheck(self.stop_worker),
        )
        settle_memory()
        log.info("model %s is ready", scorer.artifact.model_version)


def _warm_scorer(settings: WorkerSettings) -> "Scorer":
    """Load the model with its passes from the cache; compile them anew where that fails."""
    cache = compile_cache.enable(settings.compile_cache)
    try:
        scorer = _compiled(settings)
    except Exception as error:
        if cache is None or isinstance(error, IyuError):
            raise
        log.warning("compiling anew, without what is in %s: %s", cache, summary(error))
        compile_cache.clear(cache)
        scorer = _compiled(settings)  # another one: TensorFlow keeps a pass that failed
    if cache is not None:
        compile_cache.seal(cache)
    return scorer


def _compiled(settings: WorkerSettings) -> "Scorer":
    from iyu.worker.scoring import Scorer

    scorer = Scorer.load(settings.model, settings.methods)
    scorer.warm_up()
    return scorer


def _end_if_stopping(stopping: EventType, loaded: threading.Event) -> None:
    """End this process if the worker is to stop before the model is loaded."""
    while not loaded.wait(LOOK_EVERY):
        if stopping.is_set():
            os._exit(0)


def settle_memory() -> None:
    """Free what loading left behind, and exclude from garbage collection what stays for good.

    TensorFlow creates a million objects, and with Python's defaults a fifth of a worker's time
    went into scanning them. Compiling leaves 80 MB that the C library would keep.
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
