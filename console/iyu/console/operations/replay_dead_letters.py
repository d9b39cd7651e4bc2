"""Replay dead letters: accepted into the ledger again, then published."""

from dataclasses import dataclass

from sqlalchemy import Engine

from iyu.console.operations.open_database import open_database
from iyu.schemas.broker.publisher import Publisher, make_app
from iyu.schemas.contract.errors import BrokerUnavailable
from iyu.schemas.contract.message import Chunk
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.replay import Choice, replay
from iyu.schemas.sql.engine import writing


@dataclass(frozen=True, slots=True)
class Replayed:
    """The outcome of a replay."""

    reviews: int
    chunks: int
    without_review: int  # broken messages and rejected texts: nothing to score
    unpublished: str | None  # why the broker did not accept them; None: all are published


def replay_and_publish(settings: Settings, choice: Choice) -> Replayed:
    """Accept dead letters again, then publish them; what is not published the sweeper publishes.

    Raises DatabaseUnavailable, DatabaseOutdated: nothing was replayed.
    """
    with open_database(settings.database) as engine:
        with writing(engine) as connection:
            chunks, without_review = replay(connection, choice)
        unpublished = _publish(settings, engine, chunks)
    reviews = sum(len(chunk.reviews) for chunk in chunks)
    return Replayed(reviews, len(chunks), without_review, unpublished)


def _publish(settings: Settings, engine: Engine, chunks: list[Chunk]) -> str | None:
    """Publish; return the reason where the broker does not accept them."""
    if not chunks:
        return None
    try:
        with make_app(settings) as app:
            Publisher(app, settings.broker).publish(chunks)
        with writing(engine) as connection:
            ledger.mark_published(connection, [chunk.chunk_id for chunk in chunks])
    except BrokerUnavailable as error:
        return str(error)
    return None
