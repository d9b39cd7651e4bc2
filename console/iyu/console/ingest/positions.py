"""How far each table was read; moved on after its reviews were accepted, never before."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from iyu.producer.readers.row_changes import Changed, decode, encode
from iyu.schemas.contract.review import utc_now
from iyu.schemas.sql.tables import ingest_positions
from iyu.schemas.sql.upsert import upsert


@dataclass(frozen=True, slots=True)
class Place:
    """A table of another system, and the source that its reviews become."""

    source: str
    address: str  # without user and password
    table: str


def read_position(connection: Connection, place: Place) -> Changed | None:
    """Return the latest change that was read; None for a new table."""
    p = ingest_positions.c
    stored = connection.execute(
        select(p.watermark).where(
            p.source == place.source, p.address == place.address, p.table_name == place.table
        )
    ).scalar()
    return None if stored is None else decode(stored)


def save_position(connection: Connection, place: Place, watermark: Changed) -> None:
    """Keep the latest change that was read."""
    upsert(
        connection,
        ingest_positions,
        {
            "source": [place.source],
            "address": [place.address],
            "table_name": [place.table],
            "watermark": [encode(watermark)],
            "moved_at": utc_now(),
        },
    )
