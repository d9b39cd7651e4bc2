"""The parts of a worker process, one after the other in this process, by processor time."""

import os
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import orjson
from sqlalchemy import Engine

from benchmarks._reviews import renewed
from iyu.schemas.contract.message import MAX_REVIEWS, Chunk, new_id, read_chunk
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql.engine import connected, writing
from iyu.worker.rows import write_chunk as store
from iyu.worker.rows.add_to_keyword_days import DELTAS_AT_ONCE, add_deltas
from iyu.worker.scoring import Prediction, Scorer
from iyu.worker.service.child_process import settle_memory

#: What a chunk goes through. The others are looked at apart: a share of one of these, or instead.
STEPS: Final = (
    "message read",
    "ledger: chunk begun",
    "cutting",
    "encoding",
    "pass with heat",
    "explanations made",
    "rows stored",
    "words by the day",
)
MECAB: Final = "of cutting: MeCab alone"
JSON: Final = "of rows stored: heatmaps as text"
PLAIN: Final = "instead of it: pass without heat"
#: Where each of these stands in a table: below its step.
BELOW: Final = {"cutting": MECAB, "pass with heat": PLAIN, "rows stored": JSON}
#: Chunks before the clock starts: everything is compiled, and most words are known.
WARM_UP: Final = 8
#: Chunks of a turn at most: a worker adds as many deltas at once.
CHUNKS: Final = DELTAS_AT_ONCE

Micros = dict[str, float]  # µs a review


class Stopwatch:
    """Adds up processor time, all threads of this process together."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    @contextmanager
    def over(self, name: str) -> Iterator[None]:
        """Count what happens inside."""
        begin = time.process_time()
        yield
        self.seconds[name] += time.process_time() - begin  # type: ignore[assignment]


def measure(
    texts: list[Review], number: int, model: str, address: str, turns: int, processes: int
) -> list[Micros]:
    """Return what each part took in each turn, in chunks of 512.

    processes: as many threads are used as each of so many worker processes has.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(max(1, (os.cpu_count() or 1) // processes))
    tf.config.threading.set_inter_op_parallelism_threads(1)
    reviews = list(renewed(texts, min(number, CHUNKS * MAX_REVIEWS)))
    groups = [tuple(reviews[at : at + MAX_REVIEWS]) for at in range(0, len(reviews), MAX_REVIEWS)]
    with connected(address) as engine:
        parts = Parts(model, engine)
        parts.turn("warm-up", groups[:WARM_UP])
        settle_memory()
        return [parts.turn(f"turn {turn}", groups) for turn in range(turns)]


class Parts:
    """A worker's own parts, called one by one as `iyu.worker.chunk.score_chunk` calls them."""

    def __init__(self, model: str, engine: Engine) -> None:
        self._engine = engine
        self._scorer, self._plain = Scorer.load(model), Scorer.load(model, ())
        for scorer in (self._scorer, self._plain):
            scorer.warm_up()
        artifact = self._scorer.artifact
        self._version = artifact.model_version
        with writing(engine) as connection:
            store.register_model(connection, self._version, artifact.manifest)

    def turn(self, source: str, groups: Sequence[tuple[Review, ...]]) -> Micros:
        """Take reviews through all parts; return what each took."""
        watch, deltas = Stopwatch(), []
        for reviews in groups:
            chunk = self._begin(watch, self._accepted(source, reviews))
            predictions = self._score(watch, [review.text for review in chunk.reviews])
            deltas += self._store(watch, chunk, predictions)
        with watch.over("words by the day"):
            add_deltas(self._engine, deltas)
        number = sum(map(len, groups))
        return {name: 1e6 * seconds / number for name, seconds in watch.seconds.items()}

    def _accepted(self, source: str, reviews: tuple[Review, ...]) -> bytes:
        """Do what a producer does; return the message's body."""
        chunk = Chunk(new_id(), source, reviews, utc_now())
        with writing(self._engine) as connection:
            ledger.accept(connection, [chunk])
        return zlib.compress(orjson.dumps(chunk.arguments()), level=1)

    def _begin(self, watch: Stopwatch, body: bytes) -> Chunk:
        with watch.over("message read"):
            (chunk_id, reviews), named = orjson.loads(zlib.decompress(body))
            chunk, _ = read_chunk(chunk_id, reviews, **named)
        with watch.over("ledger: chunk begun"), writing(self._engine) as connection:
            ledger.begin(connection, chunk)
        return chunk

    def _score(self, watch: Stopwatch, texts: list[str]) -> list[Prediction]:
        """Do what `Scorer.score` does."""
        scorer = self._scorer
        with watch.over("cutting"):
            cut = scorer._analyzer.analyze(texts)
        with watch.over(MECAB):
            for text in texts:
                scorer._analyzer._parse(text)
        with watch.over("encoding"):
            encoded = scorer._encoder.encode(cut)
        with watch.over("pass with heat"):
            explained = scorer._explainer.explain(encoded.inputs)
        with watch.over(PLAIN):
            self._plain._explainer.explain(encoded.inputs)
        with watch.over("explanations made"):
            return scorer._place(cut, encoded.unknown, explained)

    def _store(self, watch: Stopwatch, chunk: Chunk, predictions: list[Prediction]) -> list[int]:
        """Do what a worker does in one transaction; return the deltas that are to be added."""
        with watch.over(JSON):
            for explanation in _explanations(predictions):
                m = explanation.morphemes
                orjson.dumps((m.starts, m.ends, m.tags, explanation.heats)).decode()
        with watch.over("rows stored"), writing(self._engine) as connection:
            ledger.finish(connection, chunk.chunk_id)
            delta = store.write(connection, chunk, predictions, self._version)
        return [] if delta is None else [delta]


def _explanations(predictions: Sequence[Prediction]) -> Iterator[Any]:
    return (e for prediction in predictions for e in prediction.explanations)
