"""The words that decide, or how they differ between two models, from the stored rows."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Engine

from iyu.console.analysis.keyword_changes import Change, changes
from iyu.console.analysis.keyword_order import Order
from iyu.console.analysis.keyword_ranking import Collected, Keyword, collect, rank
from iyu.console.analysis.stored_heat import (
    HeatFilter,
    Key,
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
class KeywordOptions:
    """How many words are shown, from how many reviews."""

    sample: int | None  # None: all reviews
    seed: int
    top: int
    min_reviews: int | None
    function_words: bool
    by_model: bool
    order: Order = Order.SHARE

    def least(self, reviews: int) -> int:
        """Return the reviews that must hold a word, of so many in all."""
        return self.min_reviews or max(MIN_REVIEWS, round(MIN_SHARE * reviews))


@dataclass(frozen=True, slots=True)
class KeywordReport:
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
        """One line that names reviews, method and models."""
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


def keyword_report(
    engine: Engine, chosen: HeatFilter, options: KeywordOptions, models: Sequence[str]
) -> KeywordReport:
    """Find the words that decide, or how they differ between two models.

    Raises InputError where no explanation is stored that matches.
    """
    with reading(engine) as connection:
        if options.by_model:
            return _compare(connection, chosen, options, models)
        if len(models) > 1:
            raise InputError("more than one --model is for --by model; name one")
        return _list(connection, _of(chosen, models[0]) if models else chosen, options)


def _list(connection: Connection, chosen: HeatFilter, options: KeywordOptions) -> KeywordReport:
    found = find(connection, chosen)
    keys = list(found) if options.sample is None else draw(found, options.sample, options.seed)
    collected = _collect(connection, chosen, keys, options)
    least = options.least(len(collected.keys))
    positive, negative = rank(collected, options.order, min_reviews=least, top=options.top)
    examples = {key for word in (*positive, *negative) for key in word.examples}
    return KeywordReport(
        chosen.method,
        sorted({key.model_version for key in collected.keys}),
        len(collected.keys),
        positive,
        negative,
        read_texts(connection, sorted(examples, key=lambda key: (key.source, key.review_id))),
        unit=_unit(chosen.method),
    )


def _compare(
    connection: Connection, chosen: HeatFilter, options: KeywordOptions, models: Sequence[str]
) -> KeywordReport:
    versions = list(models) or latest_models(connection)[1::-1]
    if len(versions) != 2:
        raise InputError(
            f"--by model compares two models, here are {len(versions)}; "
            "give --model twice, or let a second model score the reviews"
        )
    before, after = (_of(chosen, version) for version in versions)
    newer = find(connection, after)
    drawn = list(newer) if options.sample is None else draw(newer, options.sample, options.seed)
    old, new = shared(find(connection, before), drawn)
    collected = [
        _collect(connection, q, keys, options) for q, keys in ((before, old), (after, new))
    ]
    least = options.least(len(collected[0].keys))
    moved = changes(*collected, min_reviews=least, top=options.top)
    return KeywordReport(
        chosen.method, versions, len(new), [], [], {}, moved, "of the model's usual heat"
    )


def _collect(
    connection: Connection, chosen: HeatFilter, keys: Sequence[Key], options: KeywordOptions
) -> Collected:
    explained = read_tokens(connection, chosen.method, keys)
    collected = collect(explained, function_words=options.function_words)
    if not collected.keys:
        raise InputError(
            f"no stored explanation by {chosen.method} matches; submit reviews first, "
            "or widen --source, --since, --until, --method, --model"
        )
    return collected


def _of(chosen: HeatFilter, model_version: str) -> HeatFilter:
    return HeatFilter(chosen.method, chosen.source, chosen.since, chosen.until, model_version)


def _unit(method: str) -> str:
    of_probability = method.startswith("kernel_gradcam") and not method.endswith(":logit")
    return "probability" if of_probability else "logits"
