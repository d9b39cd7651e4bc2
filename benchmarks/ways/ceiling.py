"""B3, the ceiling: no queue and no ledger, two processes, slices of a file straight to rows."""

import os
import time
from collections.abc import Iterator
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks._reviews import raw_reviews
from benchmarks._services import database, scratch
from iyu.schemas.contract.review import Review, admit

PROCESSES = 2
CHUNK = 512


def run(kind: str, path: Path, number: int, model: str) -> float:
    """Return reviews/s of both processes together."""
    context = get_context("spawn")  # TensorFlow does not fork
    half = -(-number // PROCESSES)
    with scratch() as folder, database(kind, folder) as address:
        gate = context.Barrier(PROCESSES + 1)
        workers = [
            context.Process(target=_score_slice, args=(address, path, i, i + half, model, gate))
            for i in range(0, number, half)
        ]
        for worker in workers:
            worker.start()
        gate.wait()  # all have loaded
        begin = time.perf_counter()
        gate.wait()  # all are done
        seconds = time.perf_counter() - begin
        for worker in workers:
            worker.join()
    return number / seconds


def _score_slice(address: str, path: Path, start: int, stop: int, model: str, gate: Any) -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(max(1, (os.cpu_count() or 1) // PROCESSES))
    tf.config.threading.set_inter_op_parallelism_threads(1)

    from iyu.schemas.contract.message import Chunk, new_id
    from iyu.schemas.contract.review import utc_now
    from iyu.schemas.sql.engine import connect, writing
    from iyu.worker.rows import write_chunk as store
    from iyu.worker.scoring import Scorer
    from iyu.worker.service.child_process import settle_memory

    scorer, engine = Scorer.load(model), connect(address)
    version = scorer.artifact.model_version
    scorer.score([str(text) for _, text in raw_reviews(path, 0, 4096)])
    settle_memory()
    gate.wait()
    for group in _groups(path, start, stop):
        predictions = scorer.score([review.text for review in group])
        with writing(engine) as connection:
            chunk = Chunk(new_id(), "measured", group, utc_now())
            store.write(connection, chunk, predictions, version)
    gate.wait()


def _groups(path: Path, start: int, stop: int) -> Iterator[tuple[Review, ...]]:
    verdicts = (admit(*row) for row in raw_reviews(path, start, stop))
    reviews = (verdict for verdict in verdicts if isinstance(verdict, Review))
    while group := tuple(islice(reviews, CHUNK)):
        yield group
