"""Reviews that are still on their way: taken out of what the ledger and the outbox keep."""

from collections.abc import Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, select, update

from iyu.schemas.contract.message import pack, unpack
from iyu.schemas.contract.review import utc_now
from iyu.schemas.ledger.chunks import State, is_open
from iyu.schemas.sql.tables import chunks, webhook_deliveries


def empty_chunks(connection: Connection, source: str, review_ids: Collection[str]) -> int:
    """Take reviews out of the payloads of pending chunks; return how many were there.

    A chunk that has none left is done: its message finds nothing to do.
    """
    query = (
        select(chunks.c.chunk_id, chunks.c.payload)
        .where(chunks.c.source == source, is_open, chunks.c.payload.is_not(None))
        .order_by(chunks.c.chunk_id)
        .with_for_update()
    )
    taken, smaller, emptied = 0, [], []
    for chunk_id, payload in connection.execute(query).all():
        reviews = unpack(payload)
        if not reviews:  # damaged: its message may be whole, and a sweep ends it otherwise
            continue
        kept = [review for review in reviews if review.review_id not in review_ids]
        taken += len(reviews) - len(kept)
        if not kept:
            emptied.append(chunk_id)
        elif len(kept) < len(reviews):
            less = {"payload": pack(kept), "review_count": len(kept), "content_hash": None}
            smaller.append({"of": chunk_id, **less})
    _store_smaller(connection, smaller)
    _end_emptied(connection, emptied)
    return taken


def _store_smaller(connection: Connection, smaller: Sequence[dict[str, Any]]) -> None:
    if smaller:  # all in one call: a round trip each would cost as much as the rest
        connection.execute(update(chunks).where(chunks.c.chunk_id == bindparam("of")), smaller)


def _end_emptied(connection: Connection, emptied: Sequence[str]) -> None:
    ended = {"payload": None, "content_hash": None, "state": State.DONE, "finished_at": utc_now()}
    connection.execute(update(chunks).where(chunks.c.chunk_id.in_(emptied)).values(ended))


def empty_deliveries(connection: Connection, source: str, review_ids: Collection[str]) -> None:
    """Take reviews out of calls that wait for their receiver."""
    d = webhook_deliveries.c
    for delivery_id, body in connection.execute(select(d.delivery_id, d.body)).all():
        message = orjson.loads(body)
        lines = message["data"]["results"]
        kept = [
            line
            for line in lines
            if line.get("source") != source or line.get("review_id") not in review_ids
        ]
        if len(kept) == len(lines):
            continue
        if kept:
            message["data"]["results"] = kept
            changed = update(webhook_deliveries).values(body=orjson.dumps(message).decode())
            connection.execute(changed.where(d.delivery_id == delivery_id))
        else:
            connection.execute(delete(webhook_deliveries).where(d.delivery_id == delivery_id))
