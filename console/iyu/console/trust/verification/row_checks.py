"""Checks of every row in SQL: nothing is scored, nothing is read that is well."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.exc import DataError

from iyu.console.trust.verification.findings import Findings, Kind
from iyu.console.trust.verification.scope import Scope
from iyu.schemas.sql.tables import UtcDateTime, batches, chunks, dead_letters, predictions, reviews

#: A probability is a float32 that the model's own pass computed: the sigmoid of its logit in
#: double precision differs by some 1e-7.
PROBABILITY_TOLERANCE: Final = 1e-6
#: Beyond it the sigmoid is 0 or 1, and its exponential is too large for a database.
_FLAT: Final = 40.0

_KEY: Final = (predictions.c.source, predictions.c.review_id, predictions.c.model_version)
_SPANS: Final = """
SELECT t.source, t.review_id, t.model_version, t.method, COUNT(*) AS tokens
FROM token_heat AS t
JOIN reviews AS r ON r.source = t.source AND r.review_id = t.review_id
WHERE NOT COALESCE(
    CASE WHEN t.start >= 0 AND t."end" > t.start AND t."end" <= length(r.text)
         THEN substr(r.text, t.start + 1, t."end" - t.start) = t.surface ELSE FALSE END, FALSE)
{chosen}
GROUP BY t.source, t.review_id, t.model_version, t.method
"""


def check_rows(connection: Connection, scope: Scope, findings: Findings) -> int:
    """Check every row of the scope; return how many scores there are."""
    for kind, query in _checks(scope):
        for row in connection.execute(query).mappings():
            findings.add(kind, **row)
    for span in _wrong_spans(connection, scope):
        findings.add(Kind.SPANS, **span)
    count = select(func.count()).select_from(predictions)
    return int(connection.execute(scope.of_predictions(count)).scalar_one())


def _checks(scope: Scope) -> Iterator[tuple[Kind, Select[Any]]]:
    p = predictions.c
    wrong = func.abs(p.probability - _sigmoid(p.logit)) > PROBABILITY_TOLERANCE
    shown = (*_KEY, p.probability, p.logit)
    yield Kind.PROBABILITY, scope.of_predictions(select(*shown).where(wrong))
    positive = case((p.probability >= 0.5, 1), else_=0)
    unlike = select(*_KEY, p.probability, p.label).where(p.label != positive)
    yield Kind.LABEL, scope.of_predictions(unlike)
    if scope.model_version is None:
        yield Kind.UNSCORED, _unscored(scope)
    yield from _without_batch(scope)


def _unscored(scope: Scope) -> Select[Any]:
    p, r = predictions.c, reviews.c
    scored = exists().where(
        p.source == r.source, p.review_id == r.review_id, p.text_hash == r.text_hash
    )
    return scope.of_reviews(select(r.source, r.review_id).where(~scored))


def _without_batch(scope: Scope) -> Iterator[tuple[Kind, Select[Any]]]:
    # Only a Producer's chunk has a time of acceptance; other publishers name batches of their own.
    c, d = chunks.c, dead_letters.c
    accepted = and_(c.accepted_at.is_not(None), c.batch_id.is_not(None))
    no_batch = ~exists().where(batches.c.batch_id == c.batch_id)
    chunk = select(c.source, c.chunk_id, c.batch_id).where(accepted, no_batch)
    letters = (
        select(d.source, d.id.label("letter"), d.batch_id)
        .join(chunks, c.chunk_id == d.chunk_id)
        .where(accepted)
        .where(or_(d.batch_id.is_(None), ~exists().where(batches.c.batch_id == d.batch_id)))
    )
    if scope.source is not None:
        chunk, letters = (
            chunk.where(c.source == scope.source),
            letters.where(d.source == scope.source),
        )
    yield Kind.CHUNK_WITHOUT_BATCH, chunk
    yield Kind.LETTER_WITHOUT_BATCH, letters


def _sigmoid(logit: ColumnElement[float]) -> ColumnElement[float]:
    return case(
        (logit > _FLAT, literal(1.0)),
        (logit < -_FLAT, literal(0.0)),
        else_=1.0 / (1.0 + func.exp(-logit)),
    )


def _wrong_spans(connection: Connection, scope: Scope) -> Iterator[dict[str, Any]]:
    """Yield the heatmaps whose tokens are not what stands in the text, of those the views show."""
    bound: dict[str, Any] = {
        "source": scope.source,
        "model_version": scope.model_version,
        "since": scope.since,
        "until": scope.until,
    }
    conditions = {
        "source": "AND t.source = :source",
        "model_version": "AND t.model_version = :model_version",
        "since": "AND r.submitted_at >= :since",
        "until": "AND r.submitted_at < :until",
    }
    given = {name: value for name, value in bound.items() if value is not None}
    times = [bindparam(name, type_=UtcDateTime()) for name in ("since", "until") if name in given]
    query = text(_SPANS.format(chosen=" ".join(conditions[name] for name in given)))
    query = query.bindparams(*times)
    try:
        with connection.begin_nested():
            found = [dict(row) for row in connection.execute(query, given).mappings()]
    except DataError:  # a place that PostgreSQL cannot cut out of a text
        found = [{"why": "a token ends before it begins; drawn rows name it"}]
    yield from found
