"""B0 and B1: the usual worker, one review at a time, called by a message each or in Celery chunks.

    python -m benchmarks.ways.usual    (the worker; the environment says where)

KoNLPy's own `pos`, `model.predict` for the score, an eager gradient tape for the reason, one ORM
session and commit a review. Nothing is slowed down on purpose: the model is loaded once a process,
`predict` has compiled before the clock starts, and its progress bar is off.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from celery import Celery, signals

from benchmarks._reviews import read_reviews
from benchmarks._services import broker, database, running, scratch, wait
from iyu.schemas.contract.review import Review

PROCESSES: Final = 2
#: Celery chunks a process gets: enough of them that both processes end at about the same time.
CHUNKS_A_PROCESS: Final = 4

app = Celery("usual", broker=os.environ.get("IYU_BROKER_URL"))
app.conf.update(task_ignore_result=True, worker_redirect_stdouts=False)
_model: Any = None


@signals.worker_process_init.connect
def _load(**_: Any) -> None:
    global _model  # noqa: PLW0603 - the usual way to keep a model in a Celery child
    from benchmarks.ways.usual_model import UsualModel

    _model = UsualModel(os.environ["IYU_MODEL"], os.environ["IYU_DATABASE_URL"])
    print("is ready", flush=True)


@app.task(name="usual.score")
def score(review_id: str, text: str) -> None:
    """Score, explain and store one review."""
    _model.score(review_id, text)


def run(kind: str, path: Path, number: int, model: str, *, chunks: bool) -> float:
    """Return reviews/s from the first message to the last row committed."""
    from sqlalchemy import create_engine, text

    reviews = read_reviews(path, number)
    with scratch() as folder, database(kind, folder) as address, broker(folder) as redis:
        environment = {
            "IYU_BROKER_URL": redis.url,
            "IYU_DATABASE_URL": address.replace("postgresql://", "postgresql+psycopg://"),
            "IYU_MODEL": model,
        }
        engine = create_engine(environment["IYU_DATABASE_URL"])
        count = text("SELECT count(*) FROM explanations")
        with running(_command(), environment, folder) as worker:
            wait(lambda: worker.output().count("is ready") >= PROCESSES, 180, worker)
            publisher = Celery("usual", broker=redis.url, set_as_current=False)
            begin = time.perf_counter()
            _send(publisher, reviews, chunks)
            wait(lambda: _scalar(engine, count) >= len(reviews), 1800, worker)
            seconds = time.perf_counter() - begin
        engine.dispose()
        publisher.close()
    return len(reviews) / seconds


def _send(publisher: Celery, reviews: Sequence[Review], chunks: bool) -> None:
    task = publisher.task(score.run, name=score.name)
    if chunks:
        size = max(1, -(-len(reviews) // (PROCESSES * CHUNKS_A_PROCESS)))
        task.chunks([(r.review_id, r.text) for r in reviews], size).apply_async()
        return
    with publisher.producer_pool.acquire(block=True) as producer:
        for review in reviews:
            task.apply_async((review.review_id, review.text), producer=producer)


def _scalar(engine: Any, query: Any) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(query))


def _command() -> list[str]:
    return [sys.executable, "-m", "benchmarks.ways.usual"]


if __name__ == "__main__":
    from benchmarks.ways.usual import app as imported  # the task's module, not __main__

    imported.worker_main(["worker", f"--concurrency={PROCESSES}", "--loglevel=WARNING"])
