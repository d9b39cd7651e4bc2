"""Group commit: everything that waits is accepted in one transaction of the ledger.

While one transaction runs, the requests that come in gather for the next. So nobody waits for
company, and under load a commit is shared by many.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from iyu.console.gateway.gather_requests import Accepted, Load, Request, gather_requests
from iyu.console.gateway.publish_queue import PublishQueue
from iyu.console.gateway.thread_pool import ThreadPool
from iyu.producer.linger_buffer import Clock
from iyu.schemas.contract.errors import DatabaseUnavailable
from iyu.schemas.contract.logs import summary
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger.batches import BatchRow, add_complete_batches
from iyu.schemas.sql.engine import writing

log = logging.getLogger("iyu.gateway")

#: Reviews of one transaction, unless a single request has more.
MAX_TOGETHER: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: Request
    answer: asyncio.Future[Accepted]


class GroupCommit:
    """Accepts requests; whoever waits is answered after the commit."""

    def __init__(
        self, engine: Engine, publish_queue: PublishQueue, clock: Clock, chunk_size: int
    ) -> None:
        self._engine = engine
        self._publish_queue = publish_queue
        self._clock = clock
        self._chunk_size = chunk_size
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()

    async def accept(self, request: Request) -> Accepted:
        """Return once the reviews are committed. Raises DatabaseUnavailable: perhaps they are."""
        answer: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Waiting(request, answer))
        return await answer

    async def run(self, pool: ThreadPool) -> None:
        """Commit what waits, again and again; a failure is the answer of those it concerns."""
        while True:
            together = await self._take()
            try:
                loads, accepted = await pool.run(_calling(self._commit, together))
            except DatabaseUnavailable as error:
                log.warning("%s", error)
                _fail(together, error)
            except Exception as error:
                log.error("a transaction of the ledger failed: %s", summary(error))
                _fail(together, error)
            else:
                for waiting, result in zip(together, accepted, strict=True):
                    if not waiting.answer.done():
                        waiting.answer.set_result(result)
                self._publish_queue.put([chunk for load in loads for chunk in load.chunks])

    async def _take(self) -> list[_Waiting]:
        """Wait for a request, and return it with those that wait behind it."""
        together = [await self._waiting.get()]
        count = len(together[0].request.reviews)
        with suppress(asyncio.QueueEmpty):
            while count < MAX_TOGETHER:
                together.append(self._waiting.get_nowait())
                count += len(together[-1].request.reviews)
        return together

    def _commit(self, together: Sequence[_Waiting]) -> tuple[list[Load], list[Accepted]]:
        requests = [waiting.request for waiting in together]
        loads, accepted = gather_requests(requests, self._clock, self._chunk_size)
        published = self._publish_queue.published()
        with writing(self._engine) as connection:
            if published:
                ledger.mark_published(connection, published)
            add_complete_batches(connection, list(map(_row, loads)))
            ledger.accept(connection, [chunk for load in loads for chunk in load.chunks])
        self._publish_queue.forget(published)
        return loads, accepted


def _calling(
    work: Callable[[Sequence[_Waiting]], tuple[list[Load], list[Accepted]]],
    together: Sequence[_Waiting],
) -> Callable[[], tuple[list[Load], list[Accepted]]]:
    return lambda: work(together)


def _row(load: Load) -> BatchRow:
    batch = load.batch
    return BatchRow(
        batch.batch_id, batch.source, batch.origin, batch.accepted, load.rejected, batch.chunks
    )


def _fail(together: Sequence[_Waiting], error: Exception) -> None:
    for waiting in together:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
