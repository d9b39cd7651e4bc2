"""Two models compared, from the rows of the reviews that both have scored on one text."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, select

from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import text_hash
from iyu.schemas.sql.tables import labels, predictions, reviews

if TYPE_CHECKING:
    from iyu.worker.training.data import LabelledReviews

#: Reviews shown of each kind of flip.
EXAMPLES: Final = 5

_A, _B = predictions.alias("a"), predictions.alias("b")
_gap = func.abs(_A.c.probability - _B.c.probability)


@dataclass(frozen=True, slots=True)
class Flip:
    """A review that the models label differently."""

    source: str
    review_id: str
    text: str
    a: float  # probability of positive
    b: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two models agree."""

    a: str  # model version
    b: str
    reviews: int  # that both have scored, on the text that is stored
    agreement: float  # share with the same label
    mean_difference: float  # of probability, absolute
    to_positive: int  # negative by A, positive by B
    to_negative: int
    to_positive_examples: list[Flip]  # the surest first
    to_negative_examples: list[Flip]

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name."""
        return asdict(self)


def compare(connection: Connection, a: str, b: str, source: str | None = None) -> Comparison:
    """Compare two model versions.

    Raises InputError where they have no review in common.
    """
    up, down = _flips(0, 1), _flips(1, 0)
    row = connection.execute(
        _both(
            a,
            b,
            source,
            func.count(),
            func.sum(case((_A.c.label == _B.c.label, 1), else_=0)),
            func.avg(_gap),
            func.sum(case((up, 1), else_=0)),
            func.sum(case((down, 1), else_=0)),
        )
    ).one()
    count, same, gap, to_positive, to_negative = row
    if not count:
        raise InputError(
            f"no review{f' of source {source!r}' if source else ''} has been scored by both {a} "
            f"and {b} on its present text; run: iyu rescore --model …"
        )
    return Comparison(
        a,
        b,
        int(count),
        int(same) / int(count),
        float(gap),
        int(to_positive),
        int(to_negative),
        _examples(connection, _both(a, b, source, *_SHOWN).where(up)),
        _examples(connection, _both(a, b, source, *_SHOWN).where(down)),
    )


def measure_both(
    connection: Connection, a: str, b: str, source: str, labelled: "LabelledReviews"
) -> dict[str, Any]:
    """Return both models' figures on the labelled reviews that both have scored, text and all.

    Raises InputError where there is none.
    """
    import numpy as np

    from iyu.worker.training.metrics import measure

    columns = _A.c.review_id, _A.c.text_hash, _A.c.probability, _B.c.probability
    stored = {
        (key, digest): (p, q)
        for key, digest, p, q in connection.execute(_both(a, b, source, *columns))
    }
    keys = [(k, text_hash(t)) for k, t in zip(labelled.ids, labelled.texts, strict=True)]
    there = [number for number, key in enumerate(keys) if key in stored]
    if not there:
        raise InputError(
            f"none of the {len(keys):,} labelled reviews is stored under source {source!r} "
            "with rows of both models; name the --source and --id-column they were submitted with"
        )
    rows = np.array([stored[keys[number]] for number in there])
    labels = labelled.labels[there]
    return {
        "data": labelled.origin,
        "reviews": len(there),
        "without_rows": len(keys) - len(there),
        "a": measure(labels, rows[:, 0]).to_dict(),
        "b": measure(labels, rows[:, 1]).to_dict(),
    }


def measure_on_stored_labels(
    connection: Connection, a: str, b: str, source: str | None
) -> dict[str, Any] | None:
    """Return both models' figures on the labels in the database; None where there is none."""
    import numpy as np

    from iyu.console.analysis.label_figures import label_figures

    same = (
        (labels.c.source == _A.c.source)
        & (labels.c.review_id == _A.c.review_id)
        & (labels.c.text_hash == _A.c.text_hash)
    )
    columns = labels.c.label, _A.c.probability.label("a"), _B.c.probability.label("b")
    rows = connection.execute(_both(a, b, source, *columns).join(labels, same)).all()
    if not rows:
        return None
    given = np.array([row.label for row in rows], np.int8)
    figures = {
        name: label_figures(given, np.array([getattr(row, name) for row in rows])) for name in "ab"
    }
    return {"data": "stored labels", "reviews": len(rows)} | figures


_SHOWN: Final = (
    _A.c.source,
    _A.c.review_id,
    reviews.c.text,
    _A.c.probability.label("pa"),
    _B.c.probability.label("pb"),
)


def _both(a: str, b: str, source: str | None, *columns: Any) -> Select[Any]:
    """Select from the reviews that both models have scored on the text that is stored."""
    same_review = (_A.c.source == _B.c.source) & (_A.c.review_id == _B.c.review_id)
    stored = (
        (reviews.c.source == _A.c.source)
        & (reviews.c.review_id == _A.c.review_id)
        & (reviews.c.text_hash == _A.c.text_hash)
    )
    query = (
        select(*columns)
        .select_from(_A)
        .join(_B, same_review & (_A.c.text_hash == _B.c.text_hash))
        .join(reviews, stored)
        .where(_A.c.model_version == a, _B.c.model_version == b)
    )
    return query.where(_A.c.source == source) if source is not None else query


def _flips(a: int, b: int) -> ColumnElement[bool]:
    return (_A.c.label == a) & (_B.c.label == b)


def _examples(connection: Connection, flips: Select[Any]) -> list[Flip]:
    ordered = flips.order_by(_gap.desc(), _A.c.source, _A.c.review_id).limit(EXAMPLES)
    rows: Sequence[Row[Any]] = connection.execute(ordered).all()
    return [Flip(*tuple(row)) for row in rows]
