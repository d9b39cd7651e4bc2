"""What a transaction changed, written into the feed by that very transaction.

Where it is written decides the order in which it is read. On PostgreSQL a row carries its
transaction's id, and readers take only transactions that are older than every one still running
(`pg_snapshot_xmin`). On SQLite there is one writer at a time, and ids are given while it writes.
"""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Connection, insert, select

from iyu.schemas.contract.review import utc_now
from iyu.schemas.sql.tables import models, result_events


class Kind(StrEnum):
    """What happened to reviews."""

    SCORED = "scored"
    DEAD = "dead"  # they are dead letters now, or a message is that names no review
    ERASED = "erased"
    MODEL_CHANGED = "model-changed"  # the views show another model; no review is named


def record_scored(
    connection: Connection, source: str, model_version: str, review_ids: Sequence[str]
) -> None:
    """Write down that reviews have a score; nothing for a model that the views never show."""
    if review_ids and _is_shown(connection, model_version):
        record(connection, Kind.SCORED, source, review_ids, model_version)


def record(
    connection: Connection,
    kind: Kind,
    source: str | None = None,
    review_ids: Sequence[str] = (),
    model_version: str | None = None,
) -> None:
    """Write one event of this transaction."""
    connection.execute(
        insert(result_events).values(
            kind=kind,
            source=source,
            review_ids=list(review_ids),
            model_version=model_version,
            happened_at=utc_now(),
        )
    )


def _is_shown(connection: Connection, model_version: str) -> bool:
    shown = select(models.c.activated_at).where(
        models.c.model_version == model_version, models.c.activated_at.is_not(None)
    )
    return connection.execute(shown).first() is not None
