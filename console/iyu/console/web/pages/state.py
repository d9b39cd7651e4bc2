"""State: what waits, how fast it moves, who works, what failed and why. Nothing can be changed."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from iyu.console.operations.status import collect
from iyu.console.web.charts.minutes import columns_by_minute
from iyu.console.web.filters import Filters
from iyu.console.web.pages.page import Page, Site
from iyu.console.web.queries.drift import latest_drift
from iyu.console.web.queries.work import (
    dead_letters_by_reason,
    latest_dead_letters,
    pending_by_queue,
    scored_by_minute,
)
from iyu.schemas.contract.review import utc_now

#: Minutes of the chart, and dead letters that are listed.
MINUTES: Final = 60
LETTERS: Final = 20


def state(site: Site, _filters: Filters) -> Page:
    """Return the page."""
    now = utc_now()
    begin = now - timedelta(minutes=MINUTES - 1)
    pending = site.database.ask(pending_by_queue)
    rate = site.database.ask(scored_by_minute, begin.replace(second=0, microsecond=0))
    reasons = site.database.ask(dead_letters_by_reason)
    letters = site.database.ask(latest_dead_letters, LETTERS)
    drift = site.database.ask(latest_drift)
    oldest = [row["oldest_at"] for row in pending.rows if row["oldest_at"]]
    status = collect(site.settings, site.database.engine)
    return Page(
        "state.html",
        {
            "pending": pending,
            "rate": rate,
            "dead_letters": reasons,
            "latest": letters,
            "drift": drift,
        },
        {
            "status": status,
            "workers": count_workers(site.settings.broker),
            "now": now,
            "lag": max((now - min(oldest)).total_seconds(), 0.0) if oldest else None,
            "columns": columns_by_minute(_minutes(now), _reviews(rate.rows)),
            "scored": sum(row["reviews"] for row in rate.rows),
        },
    )


def count_workers(broker: str) -> int | None:
    """Return how many connections wait for a message: idle worker processes, on Redis.

    Workers answer no remote control, so Redis is asked. None where it does not answer.
    """
    import redis

    if not broker.startswith(("redis://", "rediss://", "unix://")):
        return None
    try:
        with redis.Redis.from_url(broker, socket_timeout=2, socket_connect_timeout=2) as client:
            found: Any = client.info("clients")
            return int(found["blocked_clients"])
    except (redis.RedisError, OSError, ValueError, KeyError):
        return None


def _minutes(now: datetime) -> list[datetime]:
    last = now.replace(second=0, microsecond=0)
    return [last - timedelta(minutes=n) for n in range(MINUTES - 1, -1, -1)]


def _reviews(rows: Any) -> Counter[str]:
    return Counter({row["minute"]: row["reviews"] for row in rows})
