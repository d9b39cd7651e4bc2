"""Replay dead letters: accepted into the ledger again, then published."""

from dataclasses import dataclass

from iyu.console.operations.open_database import open_database
from iyu.schemas.broker.publisher import Publisher, make_app, publish_and_mark
from iyu.schemas.contract.errors import BrokerUnavailable
from iyu.schemas.contract.settings import Settings
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
    """Accept dead letters again, then publish them; the sweeper publishes the rest later.

    Raises DatabaseUnavailable, DatabaseOutdated, SettingsError: nothing was replayed.
    """
    unpublished = None
    with make_app(settings) as app, open_database(settings.database) as engine:
        with writing(engine) as connection:
            chunks, without_review = replay(connection, choice)
        try:
            publish_and_mark(Publisher(app, settings.broker), engine, chunks)
        except BrokerUnavailable as error:
            unpublished = str(error)
    reviews = sum(len(chunk.reviews) for chunk in chunks)
    return Replayed(reviews, len(chunks), without_review, unpublished)
