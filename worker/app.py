"""The Celery application of a worker: decode, call, acknowledge."""

import logging
import os
from collections.abc import Sequence
from typing import Any, Final

from celery import Celery, signals
from celery.exceptions import Reject
from kombu import Queue as KombuQueue
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from schemas.broker import Publisher, make_app
from schemas.database import connect, writing
from schemas.dead_letters import bury_raw
from schemas.errors import DatabaseUnavailable, MessageError
from schemas.message import TASK, Queue, read_chunk
from schemas.review import Reason
from worker.explain.methods import choose
from worker.model.artifact import locate, read_manifest
from worker.settings import WorkerSettings
from worker.tasks import Runtime, score_chunk, sweep

log = logging.getLogger("iyu.worker")

SWEEP_TASK: Final = "worker.tasks.sweep"
#: Served before all reviews, so that a sweep never waits behind a backlog.
SWEEP_QUEUE: Final = "iyu.sweep"


def make_worker_app(settings: WorkerSettings) -> Celery:
    """Return the application that scores chunks; model and database are loaded in each child."""
    app = make_app(settings)
    app.conf.task_queues = [KombuQueue(SWEEP_QUEUE, routing_key=SWEEP_QUEUE), *app.conf.task_queues]
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        # One chunk a process, and none reserved ahead: what is reserved is what can be lost.
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        task_time_limit=settings.task_time_limit,
        # Loading TensorFlow takes longer than the 4 s that Celery grants a new child.
        worker_proc_alive_timeout=120,
        worker_soft_shutdown_timeout=30,
        worker_enable_soft_shutdown_on_idle=True,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        beat_schedule={
            "sweep": {
                "task": SWEEP_TASK,
                "schedule": settings.sweep_every,
                "options": {"queue": SWEEP_QUEUE, "expires": settings.sweep_every},
            }
        },
    )
    process = _Process(settings, app)
    _register(app, process)
    signals.worker_process_init.connect(process.load, weak=False)
    return app


def run_worker(
    settings: WorkerSettings,
    *,
    queues: Sequence[str] | None = None,
    hostname: str | None = None,
) -> int:
    """Serve until told to stop; return the exit code.

    Raises ArtifactError, SettingsError before anything starts.
    """
    read_manifest(locate(settings.model))
    choose(settings.methods)
    app = make_worker_app(settings)
    worker = app.Worker(
        hostname=hostname,
        concurrency=settings.concurrency,
        pool="prefork",
        queues=",".join(queues) if queues else None,
        loglevel="INFO",
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def run_beat(settings: WorkerSettings, schedule: str) -> None:
    """Send the sweep at its times until told to stop; `schedule` is the file it keeps them in."""
    make_worker_app(settings).Beat(schedule=schedule, loglevel="INFO").run()


class _Process:
    """What one worker process holds; the parent never loads it (TensorFlow does not fork)."""

    def __init__(self, settings: WorkerSettings, app: Celery) -> None:
        self._settings = settings
        self._app = app
        self._runtime: Runtime | None = None

    def load(self, **_: Any) -> None:
        """Load model and vocabulary, and run once so that everything is compiled."""
        if self._runtime is None:
            _limit_threads(self._settings.threads)
            from worker.scoring import Scorer

            scorer = Scorer.load(self._settings.model, self._settings.methods)
            scorer.score(["준비"])
            self._runtime = Runtime(
                settings=self._settings,
                engine=connect(self._settings.database),
                scorer=scorer,
                publisher=Publisher(self._app, self._settings.broker),
            )
            log.info("model %s is ready", scorer.artifact.model_version)

    @property
    def runtime(self) -> Runtime:
        """The process's parts, loaded if need be."""
        self.load()
        if self._runtime is None:  # pragma: no cover - load has just set it
            raise RuntimeError("a worker process without its parts")
        return self._runtime


def _register(app: Celery, process: _Process) -> None:
    @app.task(name=TASK, bind=True, typing=False)  # type: ignore[untyped-decorator]
    def _score_chunk(task: Any, *args: Any, **kwargs: Any) -> None:
        runtime = process.runtime
        try:
            with_patience(runtime.settings, _handle, runtime, task.request, args, kwargs)
        except DatabaseUnavailable as error:
            log.warning("%s; chunk handed back", error)
            raise Reject(str(error), requeue=True) from None

    @app.task(name=SWEEP_TASK)  # type: ignore[untyped-decorator]
    def _sweep() -> None:
        sweep(process.runtime)


def _handle(runtime: Runtime, request: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Read the message and score it; one that breaks the contract is kept, not scored."""
    try:
        chunk, turned_away = _read(request, args, kwargs)
    except MessageError as error:
        log.error("message %s breaks the contract: %s", request.id, error)
        with writing(runtime.engine) as connection:
            bury_raw(connection, repr((args, kwargs)), Reason.BAD_MESSAGE, str(error))
        return
    score_chunk(runtime, chunk, turned_away)


def _read(request: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    known = {"source", "batch_id", "submitted_at"}
    if len(args) != 2 or set(kwargs) - known:
        raise MessageError(
            "it takes chunk_id and reviews, and by name source, batch_id, submitted_at; "
            "see schemas/message.schema.json"
        )
    name = (request.delivery_info or {}).get("routing_key")
    return read_chunk(
        args[0],
        args[1],
        kwargs.get("source"),
        kwargs.get("batch_id"),
        kwargs.get("submitted_at"),
        Queue(name) if name in set(Queue) else Queue.BULK,
    )


def with_patience(settings: WorkerSettings, call: Any, *args: Any) -> None:
    """Call, and call again with growing pauses while the database does not answer."""
    for attempt in Retrying(
        retry=retry_if_exception_type(DatabaseUnavailable),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        stop=stop_after_delay(settings.database_patience),
        reraise=True,
    ):
        with attempt:
            call(*args)


def _limit_threads(threads: int) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
