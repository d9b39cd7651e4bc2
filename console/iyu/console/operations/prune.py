"""Delete what only matters for a while: finished chunks, lines of the results feed, tombstones."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from iyu.schemas.contract.review import utc_now
from iyu.schemas.erasure.tombstones import prune_tombstones
from iyu.schemas.ledger import totals
from iyu.schemas.results.retention import prune_feed
from iyu.schemas.sql.engine import writing


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows were deleted."""

    chunks: int
    events: int
    tombstones: int


def prune_older(engine: Engine, days: int) -> Pruned:
    """Delete what is older than so many days, in one transaction. Raises DatabaseUnavailable."""
    before = utc_now() - timedelta(days=days)
    with writing(engine) as connection:
        return Pruned(
            totals.prune(connection, before),
            prune_feed(connection, before),
            prune_tombstones(connection, before),
        )
