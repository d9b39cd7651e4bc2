"""The broker's and the database's figures as metrics."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from iyu.console.metrics.figures import BrokerFigures, DatabaseFigures
from iyu.console.metrics.ledger_families import QUEUES


def broker_gauges(found: BrokerFigures) -> Iterator[Metric]:
    """Give what Redis holds."""
    messages = GaugeMetricFamily(
        "iyu_queue_messages",
        "Messages that wait in the broker, of every priority.",
        labels=("queue",),
    )
    for queue, count in (dict.fromkeys(QUEUES, 0) | dict(found.messages)).items():
        messages.add_metric((queue,), count)
    yield messages
    yield GaugeMetricFamily(
        "iyu_unacknowledged_messages",
        "Messages that a worker took and did not acknowledge yet.",
        value=found.unacknowledged,
    )
    yield GaugeMetricFamily(
        "iyu_oldest_unacknowledged_message_age_seconds",
        "Since the oldest of them was taken; 0 if there is none.",
        value=found.oldest_unacknowledged_seconds,
    )
    yield GaugeMetricFamily(
        "iyu_broker_memory_bytes", "Memory that Redis uses.", value=found.memory_bytes
    )
    yield GaugeMetricFamily(
        "iyu_broker_memory_limit_bytes",
        "Redis' maxmemory; 0: none.",
        value=found.memory_limit_bytes,
    )


def database_gauges(found: DatabaseFigures) -> Iterator[Metric]:
    """Give the database's size, models and workers."""
    yield GaugeMetricFamily("iyu_database_bytes", "Size of the database.", value=found.size_bytes)
    size = GaugeMetricFamily(
        "iyu_table_bytes", "Size of a table with its indexes (PostgreSQL).", labels=("table",)
    )
    rows = GaugeMetricFamily(
        "iyu_table_rows",
        "About how many rows: the planner's estimate on PostgreSQL, the highest number on SQLite.",
        labels=("table",),
    )
    for table, count in found.table_bytes.items():
        size.add_metric((table,), count)
    for table, count in found.table_rows.items():
        rows.add_metric((table,), count)
    yield size
    yield rows
    yield from _who_works(found)
    yield from _drift(found)


def _who_works(found: DatabaseFigures) -> Iterator[Metric]:
    model = GaugeMetricFamily(
        "iyu_shown_model_info", "The model that the views show.", labels=("name", "model_version")
    )
    if found.shown_model:
        model.add_metric(found.shown_model, 1)
    yield model
    workers = GaugeMetricFamily(
        "iyu_workers",
        "Workers whose heartbeat is fresh, by what they run.",
        labels=("model_version", "version"),
    )
    for kind in found.workers:
        workers.add_metric((kind.model_version, kind.iyu_version), kind.count)
    yield workers
    if found.last_sweep_seconds is not None:
        yield GaugeMetricFamily(
            "iyu_last_sweep_age_seconds",
            "Since a worker last looked for lost chunks.",
            value=found.last_sweep_seconds,
        )


def _drift(found: DatabaseFigures) -> Iterator[Metric]:
    alarm = GaugeMetricFamily(
        "iyu_drift_alarm",
        "1 where the latest iyu drift of a source found that the estimated accuracy fell.",
        labels=("source",),
    )
    accuracy = GaugeMetricFamily(
        "iyu_estimated_accuracy",
        "Of the window of the latest iyu drift of a source.",
        labels=("source",),
    )
    age = GaugeMetricFamily(
        "iyu_drift_age_seconds", "Since iyu drift last ran for a source.", labels=("source",)
    )
    for latest in found.drift:
        alarm.add_metric((latest.source,), int(latest.is_alarm))
        accuracy.add_metric((latest.source,), latest.estimated_accuracy)
        age.add_metric((latest.source,), latest.age_seconds)
    yield from (alarm, accuracy, age)
