"""The parts of a gateway, put together."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine

from iyu.console.gateway.body import Memory
from iyu.console.gateway.gate import Gate
from iyu.console.gateway.intake import Intake
from iyu.console.gateway.lane import Lane
from iyu.console.gateway.outlet import Outlet
from iyu.console.gateway.room import Room
from iyu.producer.linger_buffer import Clock
from iyu.schemas.broker.broker import Broker, RedisBroker
from iyu.schemas.contract.settings import Settings
from iyu.schemas.sql.engine import check, connected

#: Milliseconds for which a statement waits for a lock: a client would rather ask again.
LOCK_MS = 5_000
#: Threads for long queries: no more than the engine has connections.
QUERIES = 8


@dataclass(frozen=True, slots=True)
class Lanes:
    """Threads, one lane for each kind of work."""

    commits: Lane = field(default_factory=lambda: Lane("commits"))
    publishing: Lane = field(default_factory=lambda: Lane("publishing"))
    looking: Lane = field(default_factory=lambda: Lane("looking"))
    short: Lane = field(default_factory=lambda: Lane("short", 2))
    queries: Lane = field(default_factory=lambda: Lane("queries", QUERIES))

    def close(self) -> None:
        """End all threads."""
        for lane in (self.commits, self.publishing, self.looking, self.short, self.queries):
            lane.close()


@dataclass(frozen=True, slots=True)
class Gateway:
    """What every address of the gateway works with."""

    engine: Engine
    lanes: Lanes
    gate: Gate
    room: Room
    intake: Intake
    outlet: Outlet
    memory: Memory = field(default_factory=Memory)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Accept and publish until the end; what was accepted by then is published."""
        await self.lanes.looking.run(self.room.look)
        lanes = self.lanes
        tasks = [
            asyncio.create_task(self.intake.run(lanes.commits)),
            asyncio.create_task(self.outlet.run(lanes.publishing)),
            asyncio.create_task(self.room.keep_looking(lanes.looking)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.outlet.finish(lanes.publishing)


@contextmanager
def opened_gateway(
    settings: Settings, open_source: str | None = None, broker: Broker | None = None
) -> Iterator[Gateway]:
    """Give a gateway on the database and the broker of the settings.

    Raises SettingsError, DatabaseOutdated, DatabaseUnavailable.
    """
    with ExitStack() as stack:
        commits = stack.enter_context(connected(settings.database, busy_ms=LOCK_MS))
        queries = stack.enter_context(connected(settings.database, busy_ms=LOCK_MS))
        check(queries)
        broker = broker or RedisBroker(settings)
        stack.callback(broker.close)
        lanes = Lanes()
        stack.callback(lanes.close)
        clock, outlet = Clock(), Outlet(broker)
        yield Gateway(
            queries,
            lanes,
            Gate(commits, lanes.short, open_source),
            Room(commits, broker, clock, settings.high_water),
            Intake(commits, outlet, clock, settings.chunk_size),
            outlet,
        )
