"""What a verification may find, and what to do about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

#: Examples kept of each kind.
EXAMPLES: Final = 5

_AGAIN: Final = "forget these reviews (iyu forget) and submit them again"


class Kind(StrEnum):
    """What differs."""

    PROBABILITY = "probability"
    LABEL = "label"
    SPANS = "spans"
    UNSCORED = "unscored"
    CHUNK_WITHOUT_BATCH = "chunk-without-batch"
    LETTER_WITHOUT_BATCH = "letter-without-batch"
    WORD_TOTALS = "word-totals"
    DAY_SUMS = "day-sums"
    REVIEW_SUMS = "review-sums"
    ARTIFACT = "artifact"
    DICTIONARY = "dictionary"
    TEXT = "text"
    TOKENS = "tokens"
    COUNTS = "counts"
    LOGIT = "logit"
    HEAT = "heat"


#: Kind: what is wrong, what to do.
MEANING: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.PROBABILITY: (
        "the probability is not the sigmoid of the logit",
        f"a row was changed after it was written; {_AGAIN}",
    ),
    Kind.LABEL: (
        "the label is not what the probability says",
        f"a row was changed after it was written; {_AGAIN}",
    ),
    Kind.SPANS: (
        "a token is not what stands at its place in the text",
        f"the text or the heatmap was changed after it was written; {_AGAIN}",
    ),
    Kind.UNSCORED: (
        "a stored review has no score of its present text",
        "its text was changed in the table, or its score was deleted; submit the reviews again, "
        "or run: iyu rescore --model MODEL --work",
    ),
    Kind.CHUNK_WITHOUT_BATCH: (
        "a chunk that a Producer accepted names a batch that is not there",
        "rows of `batches` were deleted: nothing is lost but the counts of that submission",
    ),
    Kind.LETTER_WITHOUT_BATCH: (
        "a dead letter of an accepted chunk names a batch that is not there",
        "rows of `batches` were deleted: nothing is lost but the counts of that submission",
    ),
    Kind.WORD_TOTALS: (
        "`keyword_totals` is not the sum of `keyword_days`",
        "run: iyu db rare-words 3 (your number); if it is found again, somebody else writes to "
        "these tables",
    ),
    Kind.DAY_SUMS: (
        "a word's sums of a day are not those of the day's heatmaps",
        "`keyword_days` or `explanations` was changed by hand; restore both from a backup",
    ),
    Kind.REVIEW_SUMS: (
        "the reviews of a day in `review_days` are not those of its scores",
        "`review_days`, `reviews` or `predictions` was changed by hand; restore them from a backup",
    ),
    Kind.ARTIFACT: (
        "rows name a model whose artifact is not here, or is not as it was",
        "give the very artifact that scored them: --artifact DIR",
    ),
    Kind.DICTIONARY: (
        "texts are cut by another MeCab or dictionary here than when the model was trained",
        "install the versions that the model's manifest names (iyu models show VERSION)",
    ),
    Kind.TEXT: (
        "a stored text does not have its hash",
        f"the text was changed in the table; {_AGAIN}",
    ),
    Kind.TOKENS: (
        "the text is cut into other tokens than those stored",
        "the rows were scored with another dictionary, or were changed; compare the versions, "
        f"then {_AGAIN}",
    ),
    Kind.COUNTS: (
        "the counts of tokens or of unknown words differ",
        f"the row was changed, or scored by another model; {_AGAIN}",
    ),
    Kind.LOGIT: (
        "the model gives another logit",
        "the row was changed, or the worker's model was not the one it names; check the workers' "
        f"IYU_MODEL, then {_AGAIN}",
    ),
    Kind.HEAT: (
        "the model gives other heat",
        f"the heatmap was changed after it was written; {_AGAIN}",
    ),
}


@dataclass(slots=True)
class Findings:
    """How often each kind was found, with a few examples."""

    counts: dict[Kind, int] = field(default_factory=dict)
    examples: dict[Kind, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, kind: Kind, **example: Any) -> None:
        """Count one; the first few are kept as examples."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        kept = self.examples.setdefault(kind, [])
        if len(kept) < EXAMPLES:
            kept.append(example)

    @property
    def total(self) -> int:
        """How many in all."""
        return sum(self.counts.values())

    def described(self) -> Iterator[dict[str, Any]]:
        """Yield each kind with its meaning, count, examples and what to do."""
        for kind in Kind:
            if kind in self.counts:
                wrong, todo = MEANING[kind]
                yield {
                    "kind": kind.value,
                    "count": self.counts[kind],
                    "what": wrong,
                    "do": todo,
                    "examples": self.examples[kind],
                }
