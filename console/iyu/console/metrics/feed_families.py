"""The results feed and its webhooks as metrics."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from iyu.console.metrics.figures import FeedFigures
from iyu.console.metrics.growing import Growing


def feed_families(found: FeedFigures, growing: Growing) -> Iterator[Metric]:
    """Give how far readers are behind, and what webhooks do."""
    lag = GaugeMetricFamily(
        "iyu_results_feed_lag_seconds",
        "Age of the oldest event that the slowest reader has not read; held-back: that nobody can "
        "read yet, for an older transaction still runs.",
        labels=("reader",),
    )
    for reader, seconds in found.lag_seconds.items():
        lag.add_metric((reader,), seconds)
    yield lag
    states = GaugeMetricFamily("iyu_webhooks", "Receivers of webhooks.", labels=("state",))
    for state, count in found.webhooks.items():
        states.add_metric((state,), count)
    yield states
    yield GaugeMetricFamily(
        "iyu_webhook_deliveries_waiting",
        "Messages to webhooks that were not taken yet.",
        value=found.deliveries_waiting,
    )
    yield GaugeMetricFamily(
        "iyu_webhook_attempts_failed",
        "Attempts that failed for those that wait.",
        value=found.deliveries_attempted,
    )
    yield CounterMetricFamily(
        "iyu_webhook_deliveries_given_up",
        "Messages that no receiver took within three days.",
        value=growing.at("given up", seen=found.given_up),
    )
