"""Comparisons of two models: made once in the background, and kept as long as the page runs."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.util import find_spec
from typing import Any, Final

from iyu.console.analysis.model_comparison import Comparison, compare
from iyu.console.web.queries.recorded import recorded
from iyu.console.web.read_session import Database
from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import utc_now

#: Seconds a comparison may take; it reads every review that both models have scored.
COMPARISON_SECONDS: Final = 600.0
#: Seconds a page waits for it before it says that it is being made.
PATIENCE_SECONDS: Final = 1.0
#: Reviews whose words are compared, half of each label.
WORDS_SAMPLE: Final = 4_000
WORDS: Final = 15
#: Comparisons that are kept.
MOST_KEPT: Final = 32

Pair = tuple[str, str, str | None]  # two model versions, a source or all


@dataclass(frozen=True, slots=True)
class ModelPair:
    """How two models differ."""

    comparison: Comparison
    words: list[dict[str, Any]] | None  # changed most; None: no heat of both, or no NumPy here
    queries: tuple[str, ...]
    made_at: datetime


class ModelPairs:
    """Makes comparisons one after the other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._executor = ThreadPoolExecutor(1, "iyu-model-pairs")
        self._made: dict[Pair, Future[ModelPair]] = {}

    def get(self, a: str, b: str, source: str | None) -> ModelPair | None:
        """Return the comparison; None while it is being made.

        Raises InputError where the models have no review in common.
        """
        pair = (a, b, source)
        made = self._made.get(pair) or self._begin(pair)
        wait([made], PATIENCE_SECONDS)
        if not made.done():
            return None
        if made.exception():
            self._made.pop(pair, None)  # the next look tries again
        return made.result()

    def make_anew(self, a: str, b: str, source: str | None) -> None:
        """Forget a comparison, so that the next look makes it."""
        self._made.pop((a, b, source), None)

    def close(self) -> None:
        """Begin nothing more."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _begin(self, pair: Pair) -> "Future[ModelPair]":
        while len(self._made) >= MOST_KEPT:
            self._made.pop(next(iter(self._made)))
        self._made[pair] = self._executor.submit(self._compare, pair)
        return self._made[pair]

    def _compare(self, pair: Pair) -> ModelPair:
        with self._database.session(COMPARISON_SECONDS) as connection, recorded(connection) as sql:
            comparison = _without_texts(compare(connection, *pair))
            queries = tuple(sql)
        return ModelPair(comparison, self._words(pair), queries, utc_now())

    def _words(self, pair: Pair) -> list[dict[str, Any]] | None:
        if find_spec("numpy") is None:
            return None
        return _changed_words(self._database, pair)


def _without_texts(comparison: Comparison) -> Comparison:
    """Return the comparison with its examples by key alone.

    What is kept here must not outlive a review that is erased; a page reads the texts anew.
    """
    return replace(
        comparison,
        to_positive_examples=[replace(one, text="") for one in comparison.to_positive_examples],
        to_negative_examples=[replace(one, text="") for one in comparison.to_negative_examples],
    )


def _changed_words(database: Database, pair: Pair) -> list[dict[str, Any]] | None:
    from iyu.console.analysis.keyword_report import KeywordOptions, keyword_report
    from iyu.console.analysis.stored_heat import HeatFilter

    a, b, source = pair
    options = KeywordOptions(
        WORDS_SAMPLE, seed=0, top=WORDS, min_reviews=None, function_words=False, by_model=True
    )
    try:
        found = keyword_report(database.engine, HeatFilter("gradcam", source), options, (a, b))
    except InputError:
        return None
    changes: list[dict[str, Any]] = found.to_dict()["changes"]
    return changes
