"""A few thousand scored reviews for the page: scripted words, sources, days and two models."""

import math
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import Engine

from iyu.console.analysis.model_comparison import compare
from iyu.console.analysis.stored_comparison import Words, changed_words, store_comparison
from iyu.console.analysis.stored_heat import HeatFilter
from iyu.schemas.contract.message import Chunk, Purpose, Queue, Rescore, new_id
from iyu.schemas.contract.review import Reason, Review
from iyu.schemas.ledger.dead_letters import bury_review
from iyu.schemas.sql.engine import reading, writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.rows.add_to_keyword_days import add_all_deltas
from iyu.worker.scoring import Prediction
from iyu.worker.settings import WorkerSettings
from tests.harness.explanations import explanation

#: The last day of the reviews, and how many days there are.
LAST_DAY: Final = datetime(2026, 11, 24, tzinfo=UTC)
DAYS: Final = 14
SOURCES: Final = ("app", "film", "shop")
#: Tokens that the scripted models see, counted from the end.
WINDOW: Final = 40
NEW, OLD = "new000000001", "old000000001"

#: What a word does to the logit of the new model; the rest does nothing.
HEAT: Final = {
    "최고": 1.5, "재미": 1.2, "감동": 1.0, "추천": 0.8, "배우": 0.1,
    "최악": -1.6, "지루": -1.2, "별로": -1.0, "돈": -0.6, "감독": -0.3,
}  # fmt: skip
#: The old model does not know this word.
UNKNOWN_TO_OLD: Final = "별로"
_PARTICLES: Final = ("이", "가", "는", "의", "도")
_FILLERS: Final = ("영화", "이야기", "화면", "음악", "배송", "화질", "어제", "친구")

SCRIPT: Final = '<script>document.title="broken"</script> 최악 "따옴표" \'하나\' & <b>굵게</b>'
RIGHT_TO_LEFT: Final = "\u202e역방향 최고\u202c \u200f감동"
FORMULA: Final = '=HYPERLINK("http://evil.example","클릭") 별로'
EMOJI: Final = "😀👨‍👩‍👧‍👦 최고 🎬❤️ 감동"
LONG: Final = ("지루 영화 " * 1_700)[:9_999].strip()
ONE_WORD: Final = "ㅋ" * 3_000
#: Reviews that a page has to show as they are, by id.
HOSTILE: Final = {
    "script": SCRIPT,
    "right-to-left": RIGHT_TO_LEFT,
    "formula": FORMULA,
    "emoji": EMOJI,
    "long": LONG,
    "one-word": ONE_WORD,
    "a/b?c=d&e#f %20": "최고 이야기",
}


class ScriptedScorer:
    """A model whose logit is the sum of its words' heat: for chunks, as the real one."""

    def __init__(self, version: str, heat: dict[str, float]) -> None:
        self.artifact = SimpleNamespace(model_version=version, manifest=_manifest(version))
        self._heat = heat

    def score(self, texts: Sequence[str]) -> list[Prediction]:
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Prediction:
        tokens = list(_tokens(text, self._heat))
        logit = sum(token["heat"] or 0.0 for token in tokens) or 0.05
        explanations = tuple(
            explanation(
                _times(tokens, factor),
                method=method,
                comprehensiveness=comprehensiveness,
                sufficiency=0.02,
            )
            for method, factor, comprehensiveness in (
                ("gradcam", 1.0, 0.4),
                ("integrated_gradients", 0.5, 0.2),
            )
        )
        probability = 1 / (1 + math.exp(-logit))
        return Prediction(probability, logit, len(tokens), 1, len(tokens) > WINDOW, explanations)


def store_reviews(engine: Engine, count: int = 1_500) -> None:
    """Store the reviews, scored by two models, with their daily sums and a dead letter."""
    new = ScriptedScorer(NEW, HEAT)
    old = ScriptedScorer(OLD, {w: h for w, h in HEAT.items() if w != UNKNOWN_TO_OLD})
    for chunk in _chunks(count):
        _score(engine, new, chunk, Queue.BULK)
        _score(engine, old, chunk, Rescore(OLD))
    add_all_deltas(engine)
    compare_both(engine)
    with writing(engine) as connection:
        lost = Chunk(new_id(), "shop", (Review("dead-1", "최악"),), LAST_DAY)
        bury_review(connection, lost, lost.reviews[0], Reason.KILLED_WORKER, "killed it")


def compare_both(engine: Engine) -> None:
    """Compare the two models for the page, as `iyu models compare` does."""
    with reading(engine) as connection:
        found = compare(connection, OLD, NEW)
    words = changed_words(engine, (OLD, NEW), HeatFilter("gradcam"), None, 15)
    store_comparison(engine, found, Words("gradcam", words), None)


def _score(engine: Engine, scorer: Any, chunk: Chunk, purpose: Purpose) -> None:
    given = Chunk(new_id(), chunk.source, chunk.reviews, chunk.submitted_at, None, purpose)
    score_chunk(Runtime(WorkerSettings.load(), engine, scorer, None), given, ())  # type: ignore[arg-type]


def _chunks(count: int) -> Iterator[Chunk]:
    chance = random.Random(1)
    reviews = [Review(f"r{n:05}", _text(chance)) for n in range(count)]
    size = -(-count // (DAYS * len(SOURCES)))
    for number, start in enumerate(range(0, count, size)):
        day = LAST_DAY - timedelta(days=number // len(SOURCES), hours=-8, minutes=number % 50)
        yield Chunk(
            new_id(), SOURCES[number % len(SOURCES)], tuple(reviews[start : start + size]), day
        )
    hostile = tuple(Review(key, text) for key, text in HOSTILE.items())
    yield Chunk(new_id(), "shop", hostile, LAST_DAY + timedelta(hours=12))


def _text(chance: random.Random) -> str:
    strong = [w for w in HEAT if (HEAT[w] > 0) == (chance.random() < 0.5)] or list(HEAT)
    words = chance.sample(_FILLERS, 3) + chance.sample(strong, min(2, len(strong)))
    chance.shuffle(words)
    return " ".join(w + chance.choice(("", *_PARTICLES)) for w in words)


def _tokens(text: str, heat: dict[str, float]) -> Iterator[dict[str, Any]]:
    """Yield stem and particle of every word, heat None for what lies before the window."""
    cut = [part for word in _words(text) for part in _parts(*word)]
    for number, (surface, start, pos) in enumerate(cut):
        seen = number >= len(cut) - WINDOW
        yield {
            "surface": surface, "start": start, "end": start + len(surface), "pos": pos,
            "heat": heat.get(surface, 0.01) if seen else None,
        }  # fmt: skip


def _words(text: str) -> Iterator[tuple[str, int]]:
    place = 0
    for word in text.split():
        place = text.index(word, place)
        yield word, place
        place += len(word)


def _parts(word: str, start: int) -> list[tuple[str, int, str]]:
    if len(word) > 1 and word[-1] in _PARTICLES:
        return [(word[:-1], start, "NNG"), (word[-1], start + len(word) - 1, "JKS")]
    return [(word, start, "NNG")]


def _times(tokens: list[dict[str, Any]], factor: float) -> list[dict[str, Any]]:
    return [
        token | {"heat": None if token["heat"] is None else token["heat"] * factor}
        for token in tokens
    ]


def _manifest(version: str) -> dict[str, Any]:
    figures = {"auc": 0.95, "accuracy": 0.88, "log_loss": 0.28, "calibration_error": 0.01}
    return {
        "preset": "wide" if version == NEW else "source",
        "created_at": "2026-11-01T12:00:00+00:00",
        "model_version": version,
        "sequence_length": WINDOW,
        "metrics": {"test": {"reviews": 49_997, "origin": "ratings_test.txt", **figures}},
    }
