"""Figures of the database: its size, what is in it, who writes to it."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, func, select, text

from iyu.console.metrics.figures import DatabaseFigures, LatestDrift, Workers
from iyu.schemas.contract.review import utc_now
from iyu.schemas.ledger.heartbeats import ALIVE_SECONDS, Role
from iyu.schemas.sql.tables import drift_reports, heartbeats, metadata, models

#: Kinds of workers (model and code) that are shown: during a rollout there are two.
MOST_KINDS: Final = 8
#: Sources whose latest drift is shown.
MOST_SOURCES: Final = 8
#: Tables that grow with reviews, or that show a fault by growing.
TABLES: Final = tuple(
    name
    for name in ("reviews", "predictions", "explanations", "chunks", "dead_letters",
                 "keyword_days", "keyword_deltas", "keyword_totals", "review_days", "day_deltas",
                 "result_events", "tombstones", "webhook_deliveries", "resubmissions", "labels")
    if name in metadata.tables
)  # fmt: skip

#: Partitions are summed. Rows are the planner's estimate, which VACUUM and ANALYZE keep.
_POSTGRESQL: Final = text(
    """
    SELECT wanted.name, SUM(pg_total_relation_size(part.oid)) AS bytes,
           SUM(GREATEST(part.reltuples, 0)) AS rows
    FROM unnest(CAST(:names AS text[])) AS wanted(name),
         LATERAL (SELECT to_regclass(wanted.name) AS oid
                  UNION SELECT relid FROM pg_partition_tree(to_regclass(wanted.name))) AS one
    JOIN pg_class AS part ON part.oid = one.oid AND part.relkind = 'r'
    GROUP BY wanted.name
    """
)


def read_database(connection: Connection) -> DatabaseFigures:
    """Read it."""
    on_sqlite = connection.dialect.name == "sqlite"
    size, table_bytes, rows = _sqlite_sizes(connection) if on_sqlite else _sizes(connection)
    return DatabaseFigures(
        size,
        table_bytes,
        rows,
        _shown_model(connection),
        _workers(connection),
        _last_sweep(connection),
        _latest_drift(connection),
    )


def _sizes(connection: Connection) -> tuple[int, dict[str, int], dict[str, int]]:
    found = list(connection.execute(_POSTGRESQL, {"names": list(TABLES)}))
    size = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
    return (
        int(size),
        {row.name: int(row.bytes) for row in found},
        {row.name: int(row.rows) for row in found},
    )


def _sqlite_sizes(connection: Connection) -> tuple[int, dict[str, int], dict[str, int]]:
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    page_bytes = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    # The highest row number: a count would read the whole table. Two of them have none.
    rows = {
        name: connection.exec_driver_sql(f"SELECT MAX(rowid) FROM {name}").scalar() or 0
        for name in TABLES
        if name not in {"keyword_days", "keyword_totals", "review_days"}
    }
    return int(pages) * int(page_bytes), {}, rows


def _shown_model(connection: Connection) -> tuple[str, str] | None:
    query = (
        select(models.c.name, models.c.model_version)
        .where(models.c.activated_at.is_not(None))
        .order_by(models.c.activated_at.desc(), models.c.model_version)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return (row.name, row.model_version) if row else None


def _workers(connection: Connection) -> list[Workers]:
    count = func.count().label("workers")
    query = (
        select(heartbeats.c.model_version, heartbeats.c.iyu_version, count)
        .where(
            heartbeats.c.role == Role.WORKER,
            heartbeats.c.beat_at > utc_now() - timedelta(seconds=ALIVE_SECONDS),
        )
        .group_by(heartbeats.c.model_version, heartbeats.c.iyu_version)
        .order_by(count.desc(), heartbeats.c.model_version)
        .limit(MOST_KINDS)
    )
    return [
        Workers(row.model_version or "", row.iyu_version, row.workers)
        for row in connection.execute(query)
    ]


def _last_sweep(connection: Connection) -> float | None:
    query = select(func.max(heartbeats.c.beat_at)).where(heartbeats.c.role == Role.SWEEP)
    moment = connection.execute(query).scalar()
    return max((utc_now() - moment).total_seconds(), 0.0) if moment else None


def _latest_drift(connection: Connection) -> list[LatestDrift]:
    d = drift_reports.c
    latest = select(func.max(d.drift_report_id)).group_by(d.source)
    query = (
        select(d.source, d.started_at, d.estimated_accuracy, d.alarm)
        .where(d.drift_report_id.in_(latest))
        .order_by(d.drift_report_id.desc())
        .limit(MOST_SOURCES)
    )
    now = utc_now()
    return [
        LatestDrift(
            row.source or "",
            max((now - row.started_at).total_seconds(), 0.0),
            float(row.estimated_accuracy),
            bool(row.alarm),
        )
        for row in connection.execute(query)
    ]
