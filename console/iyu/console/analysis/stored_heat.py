"""Stored explanations: which reviews have one, and the heat of their words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from heapq import nsmallest
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, column, func, select, table

from iyu.schemas.sql.heat_columns import StoredHeat, unpack_tokens
from iyu.schemas.sql.tables import UtcDateTime, explanations, models, predictions, reviews

#: Keys in one SELECT: within what every database takes.
_KEYS: Final = 500

_SCORES = table(
    "review_scores",
    *(column(name) for name in ("source", "review_id", "text_hash", "model_version", "label")),
    column("submitted_at", UtcDateTime()),
    column("written_at", UtcDateTime()),
)


@dataclass(frozen=True, slots=True)
class HeatFilter:
    """Which explanations are read."""

    method: str
    source: str | None = None  # all of them if None
    since: datetime | None = None  # by when it was written, or else came in; since ≤ time < until
    until: datetime | None = None
    model_version: str | None = None  # None: the model that the views show


@dataclass(frozen=True, slots=True)
class Key:
    """One scored review."""

    source: str
    review_id: str
    model_version: str
    text_hash: str
    label: int


def find(connection: Connection, chosen: HeatFilter) -> Iterator[Key]:
    """Yield the scored reviews that a filter chooses."""
    scores = _of_model(chosen.model_version) if chosen.model_version else _SCORES
    c = scores.c
    query = select(c.source, c.review_id, c.model_version, c.text_hash, c.label)
    if chosen.source is not None:
        query = query.where(c.source == chosen.source)
    moment = func.coalesce(c.written_at, c.submitted_at)
    if chosen.since is not None:
        query = query.where(moment >= chosen.since)
    if chosen.until is not None:
        query = query.where(moment < chosen.until)
    for row in connection.execute(query).yield_per(10_000):
        yield Key(*row)


def draw(keys: Iterator[Key], size: int, seed: int) -> list[Key]:
    """Draw a class-balanced random sample: half of `size` of each label, or as many as both have.

    The same reviews for the same seed, whatever order and database they come from.
    """

    def lot(key: Key) -> bytes:
        name = f"{seed}\0{key.source}\0{key.review_id}".encode()
        return blake2b(name, digest_size=8).digest()

    wanted = size // 2
    drawn: tuple[list[Key], list[Key]] = ([], [])
    for key in keys:
        of_label = drawn[key.label]
        of_label.append(key)
        if len(of_label) > 2 * wanted + 1_000:  # memory stays with the sample
            of_label[:] = nsmallest(wanted, of_label, key=lot)
    half = min(wanted, *map(len, drawn))
    return [key for of_label in drawn for key in nsmallest(half, of_label, key=lot)]


def shared(keys: Iterable[Key], others: Iterable[Key]) -> tuple[list[Key], list[Key]]:
    """Return those reviews that are in both, in the same order."""
    ours, theirs = ({(key.source, key.review_id): key for key in some} for some in (keys, others))
    both = sorted(ours.keys() & theirs.keys())
    return [ours[name] for name in both], [theirs[name] for name in both]


def read_tokens(
    connection: Connection, method: str, keys: Sequence[Key]
) -> Iterator[tuple[Key, list[dict[str, Any]]]]:
    """Yield the tokens of each review that has an explanation of its present text."""
    e, r = explanations.c, reviews.c
    columns = e.review_id, r.text, *(e[name] for name in StoredHeat._fields)
    present = (r.source == e.source) & (r.review_id == e.review_id) & (r.text_hash == e.text_hash)
    ordered = sorted(keys, key=lambda key: (key.source, key.model_version))
    for (source, version), group in groupby(ordered, key=lambda k: (k.source, k.model_version)):
        by_id = {key.review_id: key for key in group}
        ids = list(by_id)
        for start in range(0, len(ids), _KEYS):
            query = (
                select(e.text_hash, *columns)
                .join_from(explanations, reviews, present)
                .where(
                    e.source == source,
                    e.model_version == version,
                    e.method == method,
                    e.review_id.in_(ids[start : start + _KEYS]),
                )
            )
            rows = {row.review_id: row for row in connection.execute(query)}
            for key in (by_id[i] for i in ids[start : start + _KEYS] if i in rows):
                text_hash, _, text, *heat = rows[key.review_id]
                if text_hash == key.text_hash:
                    yield key, unpack_tokens(StoredHeat(*heat), text)


def read_texts(connection: Connection, keys: Sequence[Key]) -> dict[Key, str]:
    """Return the texts of some reviews."""
    texts = {}
    for key in keys:
        query = select(reviews.c.text).where(
            reviews.c.source == key.source, reviews.c.review_id == key.review_id
        )
        texts[key] = str(connection.execute(query).scalar_one())
    return texts


def latest_models(connection: Connection) -> list[str]:
    """Return the model versions that have served, the last activated first."""
    query = (
        select(models.c.model_version)
        .where(models.c.activated_at.is_not(None))
        .order_by(models.c.activated_at.desc())
    )
    return list(map(itemgetter(0), connection.execute(query)))


def _of_model(model_version: str) -> Any:
    """Select the scores of one model, also where a newer one has scored the same review."""
    p, r = predictions.c, reviews.c
    return (
        select(
            *(p.source, p.review_id, p.model_version, p.text_hash, p.label),
            *(r.submitted_at, r.written_at),
        )
        .join_from(
            predictions,
            reviews,
            (p.source == r.source) & (p.review_id == r.review_id) & (p.text_hash == r.text_hash),
        )
        .where(p.model_version == model_version)
        .subquery()
    )
