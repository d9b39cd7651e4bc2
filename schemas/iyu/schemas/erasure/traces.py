"""Look for what is left of reviews, in every place of the register."""

from collections.abc import Collection

import orjson
from sqlalchemy import Connection, func, select

from iyu.schemas.contract.message import unpack
from iyu.schemas.erasure.letters import letters_that_name
from iyu.schemas.sql.tables import (
    chunks,
    dead_letters,
    explanations,
    labels,
    model_comparison_examples,
    predictions,
    resubmissions,
    reviews,
    webhook_deliveries,
)

_BY_KEY = (
    reviews,
    resubmissions,
    predictions,
    explanations,
    dead_letters,
    labels,
    model_comparison_examples,
)


def find_traces(connection: Connection, source: str, review_ids: Collection[str]) -> dict[str, int]:
    """Return the places that still hold something of these reviews, and how many rows each."""
    found = {
        table.name: int(
            connection.execute(
                select(func.count())
                .select_from(table)
                .where(table.c.source == source, table.c.review_id.in_(list(review_ids)))
            ).scalar_one()
        )
        for table in _BY_KEY
    }
    found["chunks.payload"] = _in_payloads(connection, source, review_ids)
    found["dead_letters.raw"] = len(letters_that_name(connection, source, review_ids))
    found["webhook_deliveries.body"] = _in_deliveries(connection, source, review_ids)
    return {place: rows for place, rows in found.items() if rows}


def _in_payloads(connection: Connection, source: str, review_ids: Collection[str]) -> int:
    query = select(chunks.c.payload).where(chunks.c.source == source, chunks.c.payload.is_not(None))
    payloads = map(unpack, connection.scalars(query))
    # What cannot be read may hold any of them.
    return sum(
        not reviews or any(review.review_id in review_ids for review in reviews)
        for reviews in payloads
    )


def _in_deliveries(connection: Connection, source: str, review_ids: Collection[str]) -> int:
    return sum(
        any(
            line.get("source") == source and line.get("review_id") in review_ids
            for line in orjson.loads(body)["data"]["results"]
        )
        for body in connection.scalars(select(webhook_deliveries.c.body))
    )
