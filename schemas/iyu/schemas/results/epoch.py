"""Which feed this is: cursors of a restored copy of the database are not its own.

Transaction ids mean nothing outside the PostgreSQL cluster that gave them. Restored from a dump
into another one, rows may carry ids that it has not reached for years, and a reader would wait for
them. So the feed names the cluster it was begun in.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text, update

from iyu.schemas.contract.errors import IyuError
from iyu.schemas.results.cursor import Cursor, CursorError
from iyu.schemas.sql.tables import result_feed

_CLUSTER: Final = "SELECT CAST(system_identifier AS text) FROM pg_control_system()"


class FeedMoved(IyuError):
    """The database was restored in another PostgreSQL cluster: its feed has to be begun anew."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What every reader has to know first."""

    epoch: str
    pruned: Cursor  # everything up to here was deleted

    @property
    def start(self) -> Cursor:
        """The cursor before the oldest event that is kept."""
        return self.pruned

    def check(self, cursor: Cursor) -> None:
        """Raise CursorError where reading behind this cursor would leave a gap."""
        if cursor.is_beginning:
            return
        if cursor.epoch != self.epoch:
            raise CursorError(
                "this cursor is of another database, or from before this one was restored; "
                "begin again with 0, and drop what you know by source and review_id"
            )
        if (cursor.transaction, cursor.event_id) < (self.pruned.transaction, self.pruned.event_id):
            raise CursorError(
                "what follows this cursor was pruned already; begin again with 0, which gives "
                "what is kept, and read the rest from review_scores"
            )


def read_feed(connection: Connection) -> Feed:
    """Read the feed's state. Raises FeedMoved."""
    state = connection.execute(result_feed.select()).one()
    if state.cluster is not None and state.cluster != _cluster(connection):
        raise FeedMoved(
            "this database was restored in another PostgreSQL cluster, where the order of its "
            "results feed means nothing; run: iyu db restart-feed"
        )
    return Feed(state.epoch, Cursor(state.epoch, state.pruned_xid, state.pruned_id))


def restart_feed(connection: Connection, epoch: str) -> None:
    """Begin a new epoch in this cluster: every event is read again, old cursors are refused."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("UPDATE result_events SET xid = pg_current_xact_id()"))
    connection.execute(
        update(result_feed).values(
            epoch=epoch, cluster=_cluster(connection), pruned_xid=0, pruned_id=0
        )
    )


def _cluster(connection: Connection) -> str | None:
    if connection.dialect.name != "postgresql":
        return None
    return str(connection.execute(text(_CLUSTER)).scalar_one())
