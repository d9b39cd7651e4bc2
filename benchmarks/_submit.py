"""Reviews handed over as a producer does it."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Engine

from producer.chunker import chunked
from schemas import ledger
from schemas.broker import Publisher, make_app
from schemas.database import connect, writing
from schemas.message import Chunk, new_id
from schemas.review import Review, utc_now
from schemas.settings import Settings


def submit(environment: Mapping[str, str], source: str, reviews: Sequence[Review]) -> None:
    """Accept and publish reviews in full chunks."""
    settings = Settings.load(
        broker_url=environment["IYU_BROKER_URL"], database_url=environment["IYU_DATABASE_URL"]
    )
    engine, publisher = connect(settings.database), Publisher(make_app(settings), settings.broker)
    gathered: list[Chunk] = []
    for group in chunked(reviews, settings.chunk_size):
        gathered.append(Chunk(new_id(), source, group, utc_now()))
        if len(gathered) == 8:
            _send(engine, publisher, gathered)
            gathered = []
    if gathered:
        _send(engine, publisher, gathered)
    engine.dispose()


def _send(engine: Engine, publisher: Publisher, gathered: Sequence[Chunk]) -> None:
    with writing(engine) as connection:
        ledger.accept(connection, gathered)
    publisher.publish(gathered)
    with writing(engine) as connection:
        ledger.mark_published(connection, [chunk.chunk_id for chunk in gathered])
