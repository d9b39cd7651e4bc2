"""The parts of a gateway, put together."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine

from iyu.console.gateway.authentication import Authentication
from iyu.console.gateway.backlog import Backlog
from iyu.console.gateway.body import Memory
from iyu.console.gateway.group_commit import GroupCommit
from iyu.console.gateway.publish_queue import PublishQueue
from iyu.console.gateway.thread_pool import ThreadPool
from iyu.producer.linger_buffer import Clock
from iyu.schemas.broker.broker import Broker, RedisBroker
from iyu.schemas.contract.settings import Settings
from iyu.schemas.sql.engine import check, connected

#: Milliseconds for which a statement waits for a lock: a client would rather ask again.
LOCK_MS = 5_000
#: Threads for long queries: no more than the engine has connections.
QUERIES = 8


@dataclass(frozen=True, slots=True)
class ThreadPools:
    """Threads, one pool for each kind of work."""

    commits: ThreadPool = field(default_factory=lambda: ThreadPool("commits"))
    publishing: ThreadPool = field(default_factory=lambda: ThreadPool("publishing"))
    looking: ThreadPool = field(default_factory=lambda: ThreadPool("looking"))
    short: ThreadPool = field(default_factory=lambda: ThreadPool("short", 2))
    queries: ThreadPool = field(default_factory=lambda: ThreadPool("queries", QUERIES))

    def close(self) -> None:
        """End all threads."""
        for pool in (self.commits, self.publishing, self.looking, self.short, self.queries):
            pool.close()


@dataclass(frozen=True, slots=True)
class Gateway:
    """What every address of the gateway works with."""

    engine: Engine
    pools: ThreadPools
    authentication: Authentication
    backlog: Backlog
    group_commit: GroupCommit
    publish_queue: PublishQueue
    memory: Memory = field(default_factory=Memory)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Accept and publish until the end; what was accepted by then is published."""
        await self.pools.looking.run(self.backlog.look)
        pools = self.pools
        tasks = [
            asyncio.create_task(self.group_commit.run(pools.commits)),
            asyncio.create_task(self.publish_queue.run(pools.publishing)),
            asyncio.create_task(self.backlog.keep_looking(pools.looking)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.publish_queue.finish(pools.publishing)


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
        pools = ThreadPools()
        stack.callback(pools.close)
        clock, publish_queue = Clock(), PublishQueue(broker)
        yield Gateway(
            queries,
            pools,
            Authentication(commits, pools.short, open_source),
            Backlog(commits, broker, clock, settings.high_water),
            GroupCommit(commits, publish_queue, clock, settings.chunk_size),
            publish_queue,
        )
