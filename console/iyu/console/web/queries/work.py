"""What waits, what moves and what failed, from the ledger and the dead letters."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from iyu.console.web.queries.answer import Answer, moment, run

_MINUTE: Final = {
    "sqlite": "substr(finished_at, 1, 16)",
    "postgresql": "to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')",
}


def pending_by_queue(connection: Connection) -> Answer:
    """Return the reviews that wait or are being scored, and since when the oldest waits."""
    return run(
        connection,
        """
        SELECT queue, state, COUNT(*) AS chunks, SUM(review_count) AS reviews,
               MIN(submitted_at) AS oldest_at
        FROM chunks
        WHERE state IN ('queued', 'running')
        GROUP BY queue, state
        ORDER BY queue, state
        """,
    )


def scored_by_minute(connection: Connection, since: datetime) -> Answer:
    """Return the reviews that were finished in each minute."""
    minute = _MINUTE[connection.dialect.name]
    return run(
        connection,
        f"""
        SELECT {minute} AS minute, SUM(review_count) AS reviews
        FROM chunks
        WHERE finished_at >= :since AND state = 'done'
        GROUP BY {minute}
        ORDER BY minute
        """,
        since=moment(connection, since),
    )


def dead_letters_by_reason(connection: Connection) -> Answer:
    """Return the dead letters that nobody has replayed, by their reason."""
    return run(
        connection,
        """
        SELECT reason, COUNT(*) AS letters, MAX(last_seen_at) AS last_seen_at
        FROM dead_letters
        WHERE replayed_at IS NULL
        GROUP BY reason
        ORDER BY letters DESC, reason
        """,
    )


def latest_dead_letters(connection: Connection, most: int) -> Answer:
    """Return the dead letters that came last, without their texts."""
    return run(
        connection,
        f"""
        SELECT id, source, review_id, reason, error, seen, first_seen_at, last_seen_at
        FROM dead_letters
        WHERE replayed_at IS NULL
        ORDER BY id DESC
        LIMIT {most}
        """,
    )
