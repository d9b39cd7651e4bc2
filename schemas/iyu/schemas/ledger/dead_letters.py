"""Dead letters: what could not be scored, kept where it can be read and replayed."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, exists, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from iyu.schemas.contract.message import Chunk
from iyu.schemas.contract.readable_parts import show_message
from iyu.schemas.contract.review import Reason, Rejection, Review, utc_now
from iyu.schemas.results.events import Kind, record
from iyu.schemas.sql.tables import dead_letters

#: Characters of a broken message that are kept.
MAX_RAW_LENGTH = 100_000


def bury_review(
    connection: Connection, chunk: Chunk, review: Review, reason: Reason, error: str
) -> None:
    """Keep a review that cannot be scored."""
    _bury(
        connection,
        _fingerprint("review", chunk.source, review.review_id),
        {
            "source": chunk.source,
            "review_id": review.review_id,
            "text": review.text,
            "written_at": review.written_at,
            "reason": reason,
            "error": error,
            "chunk_id": chunk.chunk_id,
            "batch_id": chunk.batch_id,
            "submitted_at": chunk.submitted_at,
        },
    )


def bury_rejection(connection: Connection, chunk: Chunk, rejection: Rejection, raw: object) -> None:
    """Keep a review that was rejected on arrival, as far as it can be kept."""
    row: dict[str, Any] = {
        "raw": _storable(raw if isinstance(raw, str) else show_message({"reviews": raw})),
        "reason": rejection.reason,
        "error": "it breaks the entrance rules; correct it and submit it again",
        "source": chunk.source,
        "chunk_id": chunk.chunk_id,
        "batch_id": chunk.batch_id,
        "submitted_at": chunk.submitted_at,
    }
    if rejection.review_id:
        row["review_id"] = rejection.review_id
        _bury(connection, _fingerprint("review", chunk.source, rejection.review_id), row)
    else:
        _bury(connection, _fingerprint("raw", chunk.source, row["raw"]), row)


def bury_raw(
    connection: Connection,
    raw: str,
    reason: Reason,
    error: str,
    *,
    source: str | None = None,
    batch_id: str | None = None,
    chunk_id: str | None = None,
) -> None:
    """Keep a message that cannot be read as reviews; source, batch_id: if they could be read."""
    kept = _storable(raw)
    row = {
        "raw": kept,
        "reason": reason,
        "error": _storable(error)[:1000],
        "source": source,
        "batch_id": batch_id,
        "chunk_id": chunk_id,
    }
    _bury(connection, _fingerprint("raw", kept), row)


def resolve(
    connection: Connection, source: str, review_ids: Sequence[str], submitted_at: datetime
) -> None:
    """Record that these reviews were scored after all; one query while there are no dead letters.

    submitted_at: of the texts that were scored. A dead letter of a newer text stays open.
    """
    open_ones = dead_letters.c.source == source, dead_letters.c.replayed_at.is_(None)
    if connection.execute(select(exists().where(*open_ones))).scalar():
        connection.execute(
            update(dead_letters)
            .where(
                *open_ones,
                dead_letters.c.review_id.in_(review_ids),
                dead_letters.c.submitted_at <= submitted_at,
            )
            .values(replayed_at=utc_now())
        )


def _bury(connection: Connection, fingerprint: str, row: dict[str, Any]) -> None:
    now = utc_now()
    dialect = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    new = dialect(dead_letters).values(
        fingerprint=fingerprint, seen=1, first_seen_at=now, last_seen_at=now, **row
    )
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["fingerprint"],
            set_=row | {"seen": dead_letters.c.seen + 1, "last_seen_at": now, "replayed_at": None},
        )
    )
    named = [row["review_id"]] if row.get("review_id") else []
    record(connection, Kind.DEAD, row.get("source"), named)


def _storable(raw: str) -> str:
    """Return what every database takes as text: no NUL, no lone surrogate, of limited length."""
    return raw.replace("\0", "\ufffd").encode("utf-8", "replace").decode()[:MAX_RAW_LENGTH]


def _fingerprint(*parts: str) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
