"""B2: a message a review, gathered by `celery-batches`, one pass and one bulk insert a batch.

The worker runs in its own pinned environment (benchmarks/celery-batches.txt) and scores with the
very Scorer of iyu, so that what differs is the way through the queue.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from celery import Celery, signals

from benchmarks._environment import pinned_python
from benchmarks._reviews import read_reviews
from benchmarks._services import broker, database, running, scratch, wait
from iyu.schemas.contract.review import Review
from iyu.schemas.sql.engine import connect, reading, writing

PROCESSES: Final = 2
BATCH: Final = 512
#: Seconds after which a batch that is not full goes all the same.
FLUSH_SECONDS: Final = 0.5

app = Celery("batches", broker=os.environ.get("IYU_BROKER_URL"))
app.conf.update(
    task_ignore_result=True,
    # celery-batches asks for it: as many messages as the batches that may be open at once.
    worker_prefetch_multiplier=2 * BATCH,
    worker_redirect_stdouts=False,
    worker_proc_alive_timeout=120,
)
_parts: dict[str, Any] = {}


@signals.worker_process_init.connect
def _load(**_: Any) -> None:
    import tensorflow as tf

    threads = max(1, (os.cpu_count() or 1) // PROCESSES)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    from iyu.worker.scoring import Scorer

    _parts["scorer"] = Scorer.load(os.environ["IYU_MODEL"])
    _parts["scorer"].score(["준비"])
    _parts["engine"] = connect(os.environ["IYU_DATABASE_URL"])
    print("is ready", flush=True)


def register() -> Any:
    """Define the task where celery-batches is installed; return it."""
    from celery_batches import Batches

    @app.task(base=Batches, name="batches.score", flush_every=BATCH, flush_interval=FLUSH_SECONDS)
    def _score(requests: Sequence[Any]) -> None:
        _store([Review(*request.args) for request in requests])

    return _score


def _store(reviews: list[Review]) -> None:
    from iyu.schemas.contract.message import Chunk, new_id
    from iyu.schemas.contract.review import utc_now
    from iyu.worker.rows import write_chunk as store

    unique = tuple({review.review_id: review for review in reviews}.values())
    predictions = _parts["scorer"].score([review.text for review in unique])
    version = _parts["scorer"].artifact.model_version
    chunk = Chunk(new_id(), "batches", unique, utc_now())
    with writing(_parts["engine"]) as connection:
        store.write(connection, chunk, predictions, version)


def run(kind: str, path: Path, number: int, model: str) -> float:
    """Return reviews/s from the first message to the last row committed.

    Raises RuntimeError if the pinned environment cannot be made.
    """
    from sqlalchemy import text

    reviews = read_reviews(path, number)
    python = str(pinned_python())
    count = text("SELECT count(*) FROM explanations")
    with scratch() as folder, database(kind, folder) as address, broker(folder) as redis:
        environment = {
            "IYU_BROKER_URL": redis.url,
            "IYU_DATABASE_URL": address,
            "IYU_MODEL": model,
        }
        engine = connect(address)

        def stored() -> int:
            with reading(engine) as connection:
                return int(connection.scalar(count) or 0)

        with running([python, "-m", "benchmarks.ways.batches"], environment, folder) as worker:
            wait(lambda: worker.output().count("is ready") >= PROCESSES, 180, worker)
            publisher = Celery("batches", broker=redis.url, set_as_current=False)
            begin = time.perf_counter()
            _send(publisher, reviews)
            wait(lambda: stored() >= len(reviews), 1800, worker, every=0.05)
            seconds = time.perf_counter() - begin
        engine.dispose()
        publisher.close()
    return len(reviews) / seconds


def _send(publisher: Celery, reviews: Sequence[Review]) -> None:
    with publisher.producer_pool.acquire(block=True) as producer:
        for review in reviews:
            publisher.send_task(
                "batches.score", (review.review_id, review.text), producer=producer, retry=False
            )


if __name__ == "__main__":
    from benchmarks.ways.batches import app as imported
    from benchmarks.ways.batches import register as register_task

    register_task()
    imported.worker_main(["worker", f"--concurrency={PROCESSES}", "--loglevel=WARNING"])
