"""The Celery application of a worker, its settings, and how worker and beat are run.

Beat needs none of the worker's libraries, so `run_worker` alone imports what needs them.
"""

import logging
import os
from collections.abc import Sequence
from typing import Any, Final

from celery import Celery, signals
from celery.beat import Scheduler
from kombu import Queue as KombuQueue

from iyu.schemas.broker.publisher import make_app
from iyu.schemas.broker.redis_address import is_sentinel
from iyu.schemas.contract.errors import DatabaseUnavailable, SettingsError
from iyu.schemas.contract.logs import log_as_json
from iyu.schemas.contract.message import Queue, Rescore, read_purpose, rescore_queue
from iyu.schemas.sql.engine import connected
from iyu.schemas.sql.revision import check_revision
from iyu.worker.service.capacity import LoadedProcesses, take_only_for_loaded
from iyu.worker.service.heartbeat import HeartbeatRow
from iyu.worker.service.probe_files import beat_file, touch
from iyu.worker.service.watchdog import watch
from iyu.worker.settings import WorkerSettings
from iyu.worker.transport.envelope import SWEEP_TASK
from iyu.worker.transport.redis_transport import QuietConsumer, read_json_fast

log = logging.getLogger("iyu.beat")

#: Served before all reviews, so that a sweep never waits behind a backlog.
SWEEP_QUEUE: Final = "iyu.sweep"
#: Added to the niceness of a worker that scores stored reviews again: live traffic goes first.
RESCORE_NICENESS: Final = 10

#: Seconds between two looks of beat at its schedule, at most: a probe reads when it last looked.
TICK_EVERY: Final = 10.0


def make_worker_app(settings: WorkerSettings) -> Celery:
    """Return the application that scores chunks; model and database are loaded in each child."""
    app = make_app(settings)
    app.conf.task_queues = [KombuQueue(SWEEP_QUEUE, routing_key=SWEEP_QUEUE), *app.conf.task_queues]
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_timeout=False,
        worker_consumer=QuietConsumer,
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
    app.conf.broker_transport_options |= {
        "queue_order_strategy": "iyu.worker.transport.queue_order:by_queue",
        "priority_steps": [0],
    }
    transport = "SentinelTransport" if is_sentinel(settings) else "Transport"
    app.conf.broker_transport = f"iyu.worker.transport.redis_transport:{transport}"
    return app


def run_worker(
    settings: WorkerSettings,
    *,
    queues: Sequence[str] | None = None,
    hostname: str | None = None,
    rescore: bool = False,
) -> int:
    """Serve until SIGTERM; return the exit code.

    rescore: score stored reviews again with this model, beside the others, and nothing else.

    Raises ArtifactError, SettingsError, DatabaseOutdated before anything starts.
    """
    heartbeat = settings.heartbeat
    from iyu.worker.explain.methods.registry import choose
    from iyu.worker.model.artifact import locate, read_manifest
    from iyu.worker.service.celery_tasks import register
    from iyu.worker.service.child_process import WorkerProcess

    version = read_manifest(locate(settings.model))["model_version"]
    choose(settings.methods)
    _check_tables(settings)
    queues = [rescore_queue(version)] if rescore else _allowed(queues or (), version)
    if rescore:
        os.nice(RESCORE_NICENESS)
    read_json_fast()
    _log_as_set(settings, logging.INFO)
    logging.getLogger("celery.app.trace").addFilter(_drop_traceback)
    app = make_worker_app(settings)
    process = WorkerProcess(settings, app, serves_bulk=not queues or Queue.BULK in queues)
    register(app, process)
    signals.worker_process_init.connect(process.load, weak=False)
    signals.worker_shutting_down.connect(process.stop_loading, weak=False)
    loaded = LoadedProcesses()
    app.steps["consumer"].add(take_only_for_loaded(loaded))
    worker = app.Worker(
        hostname=hostname,
        concurrency=settings.concurrency,
        pool="prefork",
        queues=",".join([SWEEP_QUEUE, *queues]) if queues else None,
        loglevel="INFO",
        quiet=settings.log == "json",  # no banner
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,  # events that nobody reads
    )
    watch(settings, heartbeat, queues or list(Queue), process.load_failed, loaded)
    signals.worker_ready.connect(HeartbeatRow(settings, version).start, weak=False)
    worker.start()
    return int(process.exit_code.value or worker.exitcode or 0)


def _drop_traceback(record: logging.LogRecord) -> bool:
    """Take the traceback off Celery's line about a message that was handed back: ours says why."""
    record.exc_info = record.exc_text = None
    return True


def _check_tables(settings: WorkerSettings) -> None:
    """Raise DatabaseOutdated if this worker cannot use the tables; a database may come up later."""
    with connected(settings.database) as engine:
        try:
            check_revision(engine)
        except DatabaseUnavailable as error:
            log.warning("%s; chunks wait until it does", error)


def _log_as_set(settings: WorkerSettings, level: int) -> None:
    """Write JSON in place of Celery's lines where the settings say so, in children too."""
    if settings.log == "json":
        log_as_json(level)
        # Whoever receives this keeps Celery from setting up its own; each child sends it again.
        signals.setup_logging.connect(lambda **_: log_as_json(level), weak=False)


def _allowed(queues: Sequence[str], model_version: str) -> Sequence[str]:
    """Return the queues. Raises SettingsError if one is another model's."""
    for queue in queues:
        purpose = read_purpose(queue)
        if isinstance(purpose, Rescore) and purpose.model_version != model_version:
            raise SettingsError(
                f"the queue {queue} is for another model than this worker's, {model_version}; "
                "start the worker with that --model and --rescore"
            )
    return queues


def run_beat(settings: WorkerSettings) -> None:
    """Send the sweep at its times until SIGTERM."""
    _log_as_set(settings, logging.WARNING)
    app = make_worker_app(settings)
    file = beat_file(settings.heartbeat)

    class TouchingScheduler(_Scheduler):
        def tick(self, *args: Any, **options: Any) -> Any:
            touch(file)
            return super().tick(*args, **options)

    beat = app.Beat(
        scheduler=TouchingScheduler, max_interval=TICK_EVERY, loglevel="WARNING", quiet=True
    )
    beat.run()


class _Scheduler(Scheduler):  # type: ignore[misc]
    """Keeps its times in memory: a sweep that comes early after a restart does no harm."""

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Send what is due; where the broker does not answer, wait for the next time."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except Exception as error:
            log.warning("a sweep could not be sent (%s); the next one may be", error)
