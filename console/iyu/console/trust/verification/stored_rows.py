"""Stored scores with their texts and heatmaps, as one moment has them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Select, and_, func, select, tuple_

from iyu.console.analysis.stored_heat import Key, read_tokens
from iyu.console.trust.verification.scope import Scope
from iyu.console.trust.verification.snapshot import snapshot
from iyu.schemas.sql.tables import explanations, predictions, reviews

#: Scores that are read together.
PART: Final = 1_000
#: Scores whose methods of explanation are looked up: a worker stores the same for all.
_KEYS: Final = 200

_P, _R = predictions.c, reviews.c
_KEY: Final = (_P.source, _P.review_id, _P.model_version)


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A score, the text it was computed on, and its heatmaps."""

    key: Key
    text: str
    logit: float
    token_count: int
    unknown_count: int
    truncated: bool
    heatmaps: dict[str, list[dict[str, Any]]]  # tokens by method


def draw_rows(engine: Engine, scope: Scope, sample: int) -> Iterator[list[StoredRow]]:
    """Yield up to `sample` scores of present texts, drawn at random, in parts."""
    with snapshot(engine) as connection:
        query = _scores(scope).order_by(func.random()).limit(sample)
        drawn = connection.execute(query).all()
        parts = [_with_heat(connection, drawn[i : i + PART]) for i in range(0, len(drawn), PART)]
    yield from parts


def all_rows(engine: Engine, scope: Scope) -> Iterator[list[StoredRow]]:
    """Yield all scores of present texts in parts, each as a moment of its own has them."""
    last: tuple[str, str, str] | None = None
    while True:
        query = _scores(scope).order_by(*_KEY).limit(PART)
        if last is not None:
            query = query.where(tuple_(*_KEY) > last)
        with snapshot(engine) as connection:
            found = connection.execute(query).all()
            rows = _with_heat(connection, found)
        if not found:
            return
        yield rows
        last = (found[-1].source, found[-1].review_id, found[-1].model_version)


def _scores(scope: Scope) -> Select[Any]:
    query = select(
        *(*_KEY, _P.text_hash, _P.label),
        *(_R.text, _P.logit, _P.token_count, _P.unknown_count, _P.truncated),
    ).join(
        reviews,
        and_(_R.source == _P.source, _R.review_id == _P.review_id, _R.text_hash == _P.text_hash),
    )
    if scope.model_version is not None:
        query = query.where(_P.model_version == scope.model_version)
    return scope.of_reviews(query)


def _with_heat(connection: Connection, found: Sequence[Row[Any]]) -> list[StoredRow]:
    keys = [
        Key(row.source, row.review_id, row.model_version, row.text_hash, row.label) for row in found
    ]
    heatmaps: dict[Key, dict[str, list[dict[str, Any]]]] = {key: {} for key in keys}
    for method in _methods(connection, keys[:_KEYS]):
        for key, tokens in _read_all(connection, method, keys):
            heatmaps[key][method] = tokens
    return [
        StoredRow(
            key,
            row.text,
            float(row.logit),
            int(row.token_count),
            int(row.unknown_count),
            bool(row.truncated),
            heatmaps[key],
        )
        for key, row in zip(keys, found, strict=True)
    ]


def _methods(connection: Connection, keys: Sequence[Key]) -> list[str]:
    """Return the attribution methods of these scores."""
    e = explanations.c
    query = select(e.method).where(
        tuple_(e.source, e.review_id).in_([(key.source, key.review_id) for key in keys])
    )
    return sorted(set(connection.scalars(query.distinct())))


def _read_all(
    connection: Connection, method: str, keys: Sequence[Key]
) -> list[tuple[Key, list[dict[str, Any]]]]:
    """Return the heatmaps; one whose columns differ in length has no token, which is a finding."""
    try:
        return list(read_tokens(connection, method, keys))
    except (ValueError, IndexError):
        if len(keys) == 1:
            return [(keys[0], [])]
    middle = len(keys) // 2
    first = _read_all(connection, method, keys[:middle])
    return first + _read_all(connection, method, keys[middle:])
