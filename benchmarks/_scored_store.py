"""A database full of scored reviews, without queue or worker: for what only reads."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import exp
from typing import Any

from sqlalchemy import Engine

from iyu.schemas.contract.message import MAX_REVIEWS, Chunk, Rescore, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.sql.engine import writing
from iyu.worker.rows import write_chunk as store
from iyu.worker.rows.add_to_keyword_days import DELTAS_AT_ONCE, add_all_deltas
from iyu.worker.scoring import Explanation, Prediction, Scorer
from iyu.worker.text.morphemes import Analyzer, Morphemes

#: Of a hundred chunks: one source is large, one rare.
SHARES = {"shop": 70, "film": 20, "app": 9, "web": 1}
SOURCES = tuple(SHARES)
SERVING, OTHER = "serving00000", "other0000000"
_MIXED = [source for source, share in SHARES.items() for _ in range(share)]
random.Random(0).shuffle(_MIXED)


@dataclass(frozen=True, slots=True)
class Filled:
    """What was stored."""

    reviews: int
    begin: datetime
    end: datetime

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the reviews come from."""
        return SOURCES

    def pick(self, chance: random.Random) -> tuple[str, str]:
        """Return source and id of a review."""
        number = chance.randrange(self.reviews)
        return _source(number), f"{number:09d}"


def _source(number: int) -> str:
    return _MIXED[number // MAX_REVIEWS % len(_MIXED)]


def score_texts(texts: Sequence[Review], model: str) -> list[Prediction]:
    """Return the predictions of a real model."""
    scorer, found = Scorer.load(model), []
    for at in range(0, len(texts), MAX_REVIEWS):
        found += scorer.score([review.text for review in texts[at : at + MAX_REVIEWS]])
    return found


def invent_predictions(texts: Sequence[Review]) -> list[Prediction]:
    """Return predictions of real morphemes with heat by chance: as large as a model's, no model."""
    chance = random.Random(0)
    cut = Analyzer().analyze([review.text for review in texts])
    return [_invent(morphemes, chance) for morphemes in cut]


def _invent(morphemes: Morphemes, chance: random.Random) -> Prediction:
    heats = [chance.gauss(0.0, 0.3) for _ in morphemes.surfaces]
    logit = sum(heats)
    why = Explanation("gradcam", "conv3,conv4,conv5", "logit", morphemes, heats, 0.3, 0.05, 0.01)
    return Prediction(1 / (1 + exp(-logit)), logit, len(heats), len(heats) // 9, False, (why,))


def fill(
    engine: Engine,
    texts: Sequence[Review],
    predictions: Sequence[Prediction],
    *,
    reviews: int,
    days: int,
    by_both: int,
) -> Filled:
    """Store so many reviews over the days up to now, and `by_both` of them under two models.

    The other model is a little kinder.
    """
    end = utc_now()
    begin = end - timedelta(days=days)
    _register(engine)
    for at in range(0, reviews, MAX_REVIEWS):
        part = range(at, min(at + MAX_REVIEWS, reviews))
        rows = tuple(Review(f"{n:09d}", texts[n % len(texts)].text) for n in part)
        source = _source(at)
        chunk = Chunk(new_id(), source, rows, begin + (end - begin) * at / reviews)
        _write(engine, chunk, [predictions[n % len(texts)] for n in part], SERVING)
        if at >= reviews - by_both:
            again = Chunk(new_id(), source, rows, chunk.submitted_at, None, Rescore(OTHER))
            _write(engine, again, [_other(predictions[n % len(texts)]) for n in part], OTHER)
        if at // MAX_REVIEWS % DELTAS_AT_ONCE == 0:
            add_all_deltas(engine)
    add_all_deltas(engine)
    return Filled(reviews, begin, end)


def _other(prediction: Prediction) -> Prediction:
    """Return what a model says that is nearer to the middle, and now and then beyond it."""
    probability = 0.9 * prediction.probability + 0.08
    return replace(prediction, probability=probability)


def _register(engine: Engine) -> None:
    with writing(engine) as connection:
        for version in (SERVING, OTHER):
            manifest: dict[str, Any] = {
                "preset": version,
                "created_at": utc_now().isoformat(),
                "metrics": {"test": {"auc": 0.95, "accuracy": 0.88, "reviews": 50_000}},
            }
            store.register_model(connection, version, manifest, activate=version == SERVING)


def _write(engine: Engine, chunk: Chunk, predictions: Sequence[Prediction], version: str) -> None:
    with writing(engine) as connection:
        store.write(connection, chunk, predictions, version)
