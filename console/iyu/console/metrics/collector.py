"""The collector that prometheus_client calls at every scrape."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from threading import Lock
from time import perf_counter
from typing import Final, TypeVar

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from iyu.console.metrics.feed_families import feed_families
from iyu.console.metrics.figures import DatabaseFigures, FeedFigures, LedgerFigures
from iyu.console.metrics.growing import Growing
from iyu.console.metrics.ledger_families import counters, gauges, histograms
from iyu.console.metrics.look_ahead import LookAhead
from iyu.console.metrics.read_broker import read_broker
from iyu.console.metrics.read_database import read_database
from iyu.console.metrics.read_feed import read_feed
from iyu.console.metrics.read_ledger import read_ledger
from iyu.console.metrics.running_totals import RunningTotals
from iyu.console.metrics.side_families import broker_gauges, database_gauges
from iyu.schemas.contract.errors import IyuError
from iyu.schemas.contract.settings import Settings
from iyu.schemas.sql.engine import reading

log = logging.getLogger("iyu.metrics")

#: Milliseconds after which PostgreSQL ends a question: a scrape is given up after 10 s.
STATEMENT_MS: Final = 8_000
#: Pending chunks past which a scrape shows the last look and begins the next: to sum up more takes
#: longer than a scrape may.
LARGE_BACKLOG: Final = 50_000

T = TypeVar("T")
Found = tuple[LedgerFigures, DatabaseFigures, FeedFigures]


class IyuCollector(Collector):
    """Looks at ledger, database and broker; a side that does not answer hides no other."""

    def __init__(
        self, settings: Settings, engine: Engine, large_backlog: int = LARGE_BACKLOG
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._totals = RunningTotals(settings.task_time_limit)
        self._growing = Growing()
        self._look: LookAhead[Found] = LookAhead(
            self._read_database, lambda found: found[0].open_chunks > large_backlog
        )
        self._lock = Lock()  # two Prometheus servers may scrape at once

    def prime(self) -> None:
        """Sum up what is in the ledger already, before the first scrape has to wait for it."""
        with self._lock:
            self._or_none(self._look.read)

    def describe(self) -> Iterator[Metric]:
        """Name nothing: registering must not look."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Give all metrics as they are now."""
        with self._lock:
            return iter(list(self._collect()))

    def _collect(self) -> Iterator[Metric]:
        began = perf_counter()
        up = GaugeMetricFamily("iyu_up", "Whether a side answers.", labels=("side",))
        look = self._or_none(self._look.read)
        found, seconds_old = look or (None, 0.0)
        up.add_metric(("database",), int(found is not None))
        rescore_queues = found[0].rescore_queues if found else ()
        broker = self._or_none(lambda: read_broker(self._settings, rescore_queues))
        up.add_metric(("broker",), int(broker is not None))
        yield up
        if found:
            ledger, database, feed = found
            yield from gauges(ledger, self._settings)
            yield from counters(ledger, self._growing)
            yield from histograms(ledger.finished, self._growing)
            yield from database_gauges(database)
            yield from feed_families(feed, self._growing)
            yield GaugeMetricFamily(
                "iyu_database_figures_age_seconds",
                "Age of what the ledger and the database say; above 0 while the backlog is large.",
                value=seconds_old,
            )
        if broker:
            yield from broker_gauges(broker)
        yield _build()
        yield GaugeMetricFamily(
            "iyu_collect_seconds", "What this scrape took.", value=perf_counter() - began
        )

    def _read_database(self) -> Found:
        with _snapshot(self._engine) as connection:
            ledger = read_ledger(connection, self._totals)
            return ledger, read_database(connection), read_feed(connection)

    def _or_none(self, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except IyuError as error:
            log.warning("%s", error)
        except DBAPIError as error:  # tables of another version, or a question that took too long
            log.warning("the database gives no figures (%s)", type(error.orig).__name__)
        return None


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """Give one moment of the database: a sum over parts of the ledger must fit together."""
    with reading(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {STATEMENT_MS}")
        yield connection


def _build() -> Metric:
    build = GaugeMetricFamily("iyu_build_info", "The version of iyu here.", labels=("version",))
    try:
        build.add_metric((metadata.version("iyu"),), 1)
    except metadata.PackageNotFoundError:
        build.add_metric(("not installed",), 1)
    return build
