"""From the stored rows to what `iyu keywords` shows."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Engine

from iyu.console.analysis.keyword_changes import Change, changes
from iyu.console.analysis.keyword_ranking import Collected, Keyword, Order, collect, rank
from iyu.console.analysis.stored_heat import (
    Key,
    Question,
    draw,
    find,
    latest_models,
    read_texts,
    read_tokens,
    shared,
)
from iyu.schemas.contract.errors import InputError
from iyu.schemas.sql.engine import reading

#: Reviews that must hold a word: this share of them, at least so many.
MIN_SHARE: Final = 1 / 1_000
MIN_REVIEWS: Final = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much is shown, and of what."""

    sample: int | None  # None: all reviews
    seed: int
    top: int
    min_reviews: int | None
    function_words: bool
    by_model: bool
    order: Order = Order.SHARE

    def least(self, reviews: int) -> int:
        """Return how many reviews must hold a word."""
        return self.min_reviews or max(MIN_REVIEWS, round(MIN_SHARE * reviews))


@dataclass(frozen=True, slots=True)
class Report:
    """The words that decide, and where they were found."""

    method: str
    model_versions: list[str]
    reviews: int
    positive: list[Keyword]
    negative: list[Keyword]
    texts: dict[Key, str]  # of the example reviews
    changes: list[Change] | None = None  # between the two models
    unit: str = field(default="logits")

    @property
    def title(self) -> str:
        """One line on what was looked at."""
        models = " → ".join(self.model_versions)
        return f"{self.reviews:,} reviews, {self.method}, model {models}"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON holds it."""
        head = {
            "method": self.method,
            "model_versions": self.model_versions,
            "reviews": self.reviews,
            "unit": self.unit,
        }
        if self.changes is not None:
            return head | {"changes": [asdict(change) for change in self.changes]}
        return head | {
            name: [self._keyword(word) for word in words]
            for name, words in (("positive", self.positive), ("negative", self.negative))
        }

    def _keyword(self, word: Keyword) -> dict[str, Any]:
        examples = [
            {"source": key.source, "review_id": key.review_id, "text": self.texts[key]}
            for key in word.examples
        ]
        return asdict(word) | {"examples": examples}


def report(engine: Engine, question: Question, wanted: Wanted, models: Sequence[str]) -> Report:
    """Find the words that decide, or how they differ between two models.

    Raises InputError where nothing is stored that could answer.
    """
    with reading(engine) as connection:
        if wanted.by_model:
            return _compare(connection, question, wanted, models)
        if len(models) > 1:
            raise InputError("more than one --model is for --by model; name one")
        return _list(connection, _of(question, models[0]) if models else question, wanted)


def _list(connection: Connection, question: Question, wanted: Wanted) -> Report:
    found = find(connection, question)
    keys = list(found) if wanted.sample is None else draw(found, wanted.sample, wanted.seed)
    collected = _collect(connection, question, keys, wanted)
    least = wanted.least(len(collected.keys))
    positive, negative = rank(collected, wanted.order, min_reviews=least, top=wanted.top)
    examples = {key for word in (*positive, *negative) for key in word.examples}
    return Report(
        question.method,
        sorted({key.model_version for key in collected.keys}),
        len(collected.keys),
        positive,
        negative,
        read_texts(connection, sorted(examples, key=lambda key: (key.source, key.review_id))),
        unit=_unit(question.method),
    )


def _compare(
    connection: Connection, question: Question, wanted: Wanted, models: Sequence[str]
) -> Report:
    versions = list(models) or latest_models(connection)[1::-1]
    if len(versions) != 2:
        raise InputError(
            f"--by model compares two models, here are {len(versions)}; "
            "give --model twice, or let a second model score the reviews"
        )
    before, after = (_of(question, version) for version in versions)
    newer = find(connection, after)
    drawn = list(newer) if wanted.sample is None else draw(newer, wanted.sample, wanted.seed)
    old, new = shared(find(connection, before), drawn)
    collected = [_collect(connection, q, keys, wanted) for q, keys in ((before, old), (after, new))]
    least = wanted.least(len(collected[0].keys))
    moved = changes(*collected, min_reviews=least, top=wanted.top)
    return Report(
        question.method, versions, len(new), [], [], {}, moved, "of the model's usual heat"
    )


def _collect(
    connection: Connection, question: Question, keys: Sequence[Key], wanted: Wanted
) -> Collected:
    explained = read_tokens(connection, question.method, keys)
    collected = collect(explained, function_words=wanted.function_words)
    if not collected.keys:
        raise InputError(
            f"no stored explanation by {question.method} answers this; submit reviews first, "
            "or widen --source, --since, --until, --method, --model"
        )
    return collected


def _of(question: Question, model_version: str) -> Question:
    return Question(question.method, question.source, question.since, question.until, model_version)


def _unit(method: str) -> str:
    of_probability = method.startswith("kernel_gradcam") and not method.endswith(":logit")
    return "probability" if of_probability else "logits"
