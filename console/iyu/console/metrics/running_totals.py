"""Sums over all finished chunks, kept up to date without reading all of them again.

Chunks are finished in the order of their commits, which is not quite the order of `finished_at`.
So what was finished a while ago is summed once and kept, and the last minutes are summed anew.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from iyu.schemas.contract.review import utc_now
from iyu.schemas.ledger.totals import Totals, count_finished, read_pruned
from iyu.schemas.sql.tables import chunks

#: Seconds beside the time limit of a chunk within which its commit must have happened.
SETTLING_SECONDS: Final = 60
#: Past this gap between two looks everything is summed anew: chunks may have been pruned meanwhile.
LONGEST_GAP: Final = timedelta(hours=12)


class RunningTotals:
    """Totals of a ledger; not for two threads at once."""

    def __init__(self, task_time_limit: int) -> None:
        self._unsettled = timedelta(seconds=task_time_limit + SETTLING_SECONDS)
        self._settled = Totals()
        self._until: datetime | None = None  # what was finished by then is in `_settled`

    def read(self, connection: Connection) -> Totals:
        """Return the totals as they are in this transaction, which must be one snapshot."""
        until = utc_now() - self._unsettled
        self._settle(connection, until)
        return self._settled + count_finished(connection, chunks.c.finished_at > self._until)

    def _settle(self, connection: Connection, until: datetime) -> None:
        since = self._until
        finished_at = chunks.c.finished_at
        if since is None or until - since > LONGEST_GAP:
            if connection.dialect.name == "postgresql":  # it takes seconds where millions are done
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            pruned = read_pruned(connection)
            self._settled = pruned + count_finished(connection, finished_at <= until)
        elif until > since:
            self._settled += count_finished(connection, finished_at > since, finished_at <= until)
        self._until = max(until, since) if since else until
