"""Reviews handed over as `iyu submit` does it, and the wait until they are rows."""

import time
from collections.abc import Iterable, Mapping

from sqlalchemy import Engine

from iyu.producer.batch import Receipt
from iyu.producer.linger_buffer import Clock
from iyu.producer.producer import Producer
from iyu.schemas.contract.message import Queue
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import progress
from iyu.schemas.sql.engine import reading


def settings_of(environment: Mapping[str, str]) -> Settings:
    """Return the settings a producer has in this environment."""
    return Settings.load(
        broker_url=environment["IYU_BROKER_URL"],
        database_url=environment["IYU_DATABASE_URL"],
        high_water=environment.get("IYU_HIGH_WATER"),
    )


def submit(
    environment: Mapping[str, str],
    source: str,
    rows: Iterable[tuple[object, object]],
    clock: Clock | None = None,
) -> Receipt:
    """Hand raw reviews over in full chunks; return when all are accepted and published."""
    settings = settings_of(environment)
    with Producer(settings, source=source, queue=Queue.BULK, clock=clock) as producer:
        return producer.submit_many(rows, origin="benchmark")


def drain(engine: Engine, every: float = 0.02) -> None:
    """Return when no accepted review waits any more."""
    while True:
        with reading(engine) as connection:
            if not progress.pending(connection):
                return
        time.sleep(every)
