"""Metrics against real databases and a real Redis: what is shown is what SQL says."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import redis
from prometheus_client.core import Metric
from sqlalchemy import Engine, event, func, select, text, update

from iyu.console.metrics.collector import IyuCollector
from iyu.console.metrics.read_broker import SWEEP_QUEUE
from iyu.console.metrics.read_database import TABLES
from iyu.console.metrics.running_totals import LONGEST_GAP
from iyu.console.webhooks.registry import add_webhook
from iyu.schemas.contract.message import Chunk, Purpose, Queue, Rescore, new_id, rescore_queue
from iyu.schemas.contract.review import Reason, Review, utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger import heartbeats
from iyu.schemas.ledger.chunks import State
from iyu.schemas.ledger.dead_letters import bury_review
from iyu.schemas.ledger.totals import RESCORE, prune
from iyu.schemas.results.consumers import move_consumer
from iyu.schemas.results.events import Kind, record
from iyu.schemas.results.feed import Filter, end_of_feed
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import connected, reading, upgrade, writing
from iyu.worker.service import celery_app
from tests.harness.polling import poll

#: More would cost Prometheus memory with nothing to look at (issue "Operated").
MOST_SERIES = 200

Samples = dict[tuple[str, tuple[str, ...]], float]


@dataclass
class Site:
    """A database, a broker, and the collector that looks at both."""

    engine: Engine
    client: redis.Redis
    settings: Settings
    collector: IyuCollector

    def scrape(self) -> Samples:
        return samples(self.collector.collect())

    def accept(self, count: int = 1, reviews: int = 4, queue: Purpose = Queue.BULK) -> list[Chunk]:
        texts = tuple(Review(str(number), f"글 {number}") for number in range(reviews))
        chunks = [Chunk(new_id(), "shop", texts, utc_now(), None, queue) for _ in range(count)]
        with writing(self.engine) as connection:
            ledger.accept(connection, chunks)
        return chunks

    def finish(self, chunks: list[Chunk], state: State = State.DONE, begun: int = 1) -> None:
        with writing(self.engine) as connection:
            for chunk in chunks:
                for _ in range(begun):
                    ledger.begin(connection, chunk)
                ledger.finish(connection, chunk.chunk_id, state)

    def change(self, chunks: list[Chunk], **values: Any) -> None:
        ids = [chunk.chunk_id for chunk in chunks]
        with writing(self.engine) as connection:
            connection.execute(
                update(tables.chunks).where(tables.chunks.c.chunk_id.in_(ids)).values(**values)
            )


def samples(metrics: Iterator[Metric]) -> Samples:
    """Every sample by its name and its labels' values."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for metric in metrics
        for sample in metric.samples
    }


@pytest.fixture
def site(engine: Engine, redis_server) -> Iterator[Site]:
    address = engine.url.render_as_string(hide_password=False)
    settings = Settings(broker_url=redis_server.url, database_url=address)
    with redis_server.client() as client:
        yield Site(engine, client, settings, IyuCollector(settings, engine))


def test_what_is_pending_stands_by_queue_and_state_with_its_age(site: Site):
    site.accept(3, reviews=5)
    [live] = site.accept(queue=Queue.LIVE, reviews=1)
    site.change([live], queued_at=utc_now() - timedelta(minutes=7))
    [begun] = site.accept(reviews=2)
    with writing(site.engine) as connection:
        ledger.begin(connection, begun)
    seen = site.scrape()
    assert seen["iyu_reviews_pending", ("reviews.bulk", "queued")] == 15
    assert seen["iyu_reviews_pending", ("reviews.bulk", "running")] == 2
    assert seen["iyu_reviews_pending", ("reviews.live", "queued")] == 1
    assert 420 <= seen["iyu_oldest_pending_review_age_seconds", ("reviews.live",)] < 480
    assert seen["iyu_oldest_pending_review_age_seconds", ("reviews.bulk",)] < 60
    assert seen["iyu_backpressure_ratio", ()] == 18 / site.settings.high_water


def test_of_a_large_backlog_the_last_look_is_shown_whole_while_the_next_is_made(site: Site):
    collector = IyuCollector(site.settings, site.engine, large_backlog=2)

    def counted() -> tuple[float, float, float]:
        seen = samples(collector.collect())
        return (
            seen["iyu_reviews_pending", ("reviews.bulk", "queued")],
            seen["iyu_reviews_accepted_total", ("reviews.bulk",)],
            seen["iyu_reviews_scored_total", ("reviews.bulk",)],
        )

    waiting = site.accept(3, reviews=4)
    assert counted() == (12, 12, 0)
    site.finish(waiting[:1])
    site.accept(1, reviews=4)
    assert counted() == (12, 12, 0)  # and a look is begun
    assert poll(60, lambda: (found := counted())[2] and found) == (12, 16, 4)
    site.finish(waiting[1:])
    assert poll(60, lambda: (found := counted())[2] == 12 and found) == (4, 16, 12)
    site.accept(1, reviews=4)
    assert counted() == (8, 20, 12)  # few are pending again: each scrape looks itself


def test_a_replay_is_as_old_as_its_replay_not_as_its_review(site: Site):
    old = Chunk(new_id(), "shop", (Review("1", "글"),), utc_now() - timedelta(days=30))
    with writing(site.engine) as connection:
        ledger.accept(connection, [old])
    assert site.scrape()["iyu_oldest_pending_review_age_seconds", ("reviews.bulk",)] < 60


def test_what_is_finished_is_counted_as_sql_counts_it(site: Site):
    site.finish(site.accept(3, reviews=5))
    site.finish(site.accept(2, reviews=1), State.DEAD, begun=3)
    [killer] = site.accept(reviews=4)
    with writing(site.engine) as connection:
        ledger.begin(connection, killer)
        parts = ledger.split(connection, killer)
    site.finish(parts[:3])
    seen = site.scrape()
    assert seen["iyu_reviews_scored_total", ("reviews.bulk",)] == 18
    assert seen["iyu_reviews_accepted_total", ("reviews.bulk",)] == 21
    outcomes = {state: seen["iyu_chunks_finished_total", (state,)] for state in State if
                ("iyu_chunks_finished_total", (state,)) in seen}  # fmt: skip
    assert outcomes == {State.DONE: 6, State.SPLIT: 1, State.DEAD: 2}
    assert seen["iyu_chunk_retries_total", ()] == 4
    assert seen["iyu_review_waiting_seconds_count", ("reviews.bulk",)] == 18
    assert seen["iyu_chunk_scoring_seconds_count", ()] == 6


def test_times_fall_into_their_buckets(site: Site):
    now = utc_now()
    chunks = site.accept(3, reviews=10)
    site.finish(chunks)
    for chunk, waited, scored in zip(chunks, (0.3, 40, 4000), (0.02, 3, 2000), strict=True):
        begun = now - timedelta(seconds=scored)
        site.change(
            [chunk],
            queued_at=begun - timedelta(seconds=waited),
            started_at=begun,
            finished_at=now,
        )
    seen = site.scrape()
    waiting = {
        bound: seen["iyu_review_waiting_seconds_bucket", ("reviews.bulk", bound)]
        for bound in ("0.25", "0.5", "30.0", "60.0", "1800.0", "+Inf")
    }
    assert list(waiting.values()) == [0, 10, 10, 20, 20, 30]
    scoring = [
        seen["iyu_chunk_scoring_seconds_bucket", (bound,)]
        for bound in ("0.01", "0.025", "2.5", "5.0", "1800.0", "+Inf")
    ]
    assert scoring == [0, 1, 1, 2, 2, 3]
    total = seen["iyu_review_waiting_seconds_sum", ("reviews.bulk",)]
    assert total == pytest.approx(10 * (0.3 + 40 + 4000), abs=0.1)
    assert seen["iyu_chunk_scoring_seconds_sum", ()] == pytest.approx(2003.02, abs=0.01)


def test_totals_survive_a_prune_and_a_new_process(site: Site):
    old, new = site.accept(3, reviews=5), site.accept(2, reviews=5)
    site.finish([*old, *new])
    site.change(old, finished_at=utc_now() - timedelta(days=40))
    before = counted(site.scrape())
    with writing(site.engine) as connection:
        assert prune(connection, utc_now() - timedelta(days=30)) == 3
        assert prune(connection, utc_now() - timedelta(days=30)) == 0
    assert counted(site.scrape()) == before
    fresh = IyuCollector(site.settings, site.engine)
    assert counted(samples(fresh.collect())) == before


def test_totals_are_right_however_often_they_are_read(site: Site):
    """What is finished moves from the part that is summed anew to the part that is kept."""
    chunks = site.accept(6, reviews=5)
    site.finish(chunks)
    now = utc_now()
    for number, chunk in enumerate(chunks):
        site.change([chunk], finished_at=now - timedelta(minutes=number))
    for _ in range(3):
        assert site.scrape()["iyu_reviews_scored_total", ("reviews.bulk",)] == 30
    late = site.accept(1, reviews=5)
    site.finish(late)
    # Committed now, stamped before the last scrape.
    site.change(late, finished_at=now - timedelta(seconds=100))
    assert site.scrape()["iyu_reviews_scored_total", ("reviews.bulk",)] == 35


def test_a_prune_between_two_distant_looks_loses_nothing(site: Site, monkeypatch):
    from iyu.console.metrics import running_totals

    site.scrape()
    chunks = site.accept(2, reviews=5)
    site.finish(chunks)
    later = utc_now() + LONGEST_GAP + timedelta(days=2)
    with writing(site.engine) as connection:
        prune(connection, later)
    monkeypatch.setattr(running_totals, "utc_now", lambda: later)
    assert site.scrape()["iyu_reviews_scored_total", ("reviews.bulk",)] == 10


def test_a_counter_never_falls_and_goes_on_growing_after_rows_were_erased(site: Site):
    site.finish(site.accept(3, reviews=5))
    assert site.scrape()["iyu_reviews_scored_total", ("reviews.bulk",)] == 15
    with writing(site.engine) as connection:
        connection.execute(tables.chunks.delete())
    assert site.scrape()["iyu_reviews_scored_total", ("reviews.bulk",)] == 15
    site.finish(site.accept(1, reviews=5))
    assert site.scrape()["iyu_reviews_scored_total", ("reviews.bulk",)] == 20


def test_a_sweep_is_counted_while_its_chunk_is_open_and_when_it_is_done(site: Site):
    chunks = site.accept(2)
    site.change(chunks, accepted_at=utc_now() - timedelta(hours=1))
    with writing(site.engine) as connection:
        found = ledger.take_lost(
            connection,
            Queue.BULK,
            published_before=utc_now() - timedelta(minutes=1),
            begun_before=utc_now(),
            held=(),
            limit=10,
        )
    assert len(found) == 2
    assert site.scrape()["iyu_chunks_swept_total", ()] == 2
    site.finish(found[:1])
    assert site.scrape()["iyu_chunks_swept_total", ()] == 2


def test_dead_letters_stand_by_reason_and_those_that_came_again_count_twice(site: Site):
    [chunk] = site.accept(reviews=2)
    for times, review in ((2, chunk.reviews[0]), (1, chunk.reviews[1])):
        for _ in range(times):
            with writing(site.engine) as connection:
                bury_review(connection, chunk, review, Reason.KILLED_WORKER, "died")
    seen = site.scrape()
    assert seen["iyu_dead_letters_open", ("killed-worker",)] == 2
    assert seen["iyu_dead_letters_buried_total", ("killed-worker",)] == 3
    with writing(site.engine) as connection:
        connection.execute(update(tables.dead_letters).values(replayed_at=utc_now()))
    seen = site.scrape()
    assert seen["iyu_dead_letters_open", ("killed-worker",)] == 0
    assert seen["iyu_dead_letters_buried_total", ("killed-worker",)] == 3


def test_the_broker_is_counted_with_every_priority_and_rescoring_as_one(site: Site):
    site.client.lpush(Queue.BULK, "a", "b")
    site.client.lpush(f"{Queue.BULK}\x06\x169", "c")
    site.client.lpush(SWEEP_QUEUE, "d")
    for version in ("one", "two"):
        site.accept(queue=Rescore(version))
        site.client.lpush(rescore_queue(version), "e", "f")
    site.client.hset("unacked", "tag", "message")
    taken = (utc_now() - timedelta(seconds=90)).timestamp()
    site.client.zadd("unacked_index", {"tag": taken, "later": taken + 60})
    seen = site.scrape()
    assert seen["iyu_queue_messages", ("reviews.bulk",)] == 3
    assert seen["iyu_queue_messages", ("reviews.live",)] == 0
    assert seen["iyu_queue_messages", (SWEEP_QUEUE,)] == 1
    assert seen["iyu_queue_messages", (RESCORE,)] == 4
    assert seen["iyu_unacknowledged_messages", ()] == 1
    assert 90 <= seen["iyu_oldest_unacknowledged_message_age_seconds", ()] < 150
    assert seen["iyu_broker_memory_bytes", ()] > 0


def test_the_sweeps_queue_has_the_workers_name_for_it():
    assert SWEEP_QUEUE == celery_app.SWEEP_QUEUE


def test_workers_count_by_model_while_their_heartbeat_is_fresh(site: Site):
    with writing(site.engine) as connection:
        for version in ("v1", "v1", "v2"):
            heartbeats.beat(connection, heartbeats.worker_heartbeat(version))
        gone = heartbeats.worker_heartbeat("v0")
        heartbeats.beat(connection, gone)
        connection.execute(
            update(tables.heartbeats)
            .where(tables.heartbeats.c.process_id == gone.process_id)
            .values(beat_at=utc_now() - timedelta(days=2))
        )
        heartbeats.beat(connection, heartbeats.sweep_heartbeat())
    seen = {labels[0]: value for (name, labels), value in site.scrape().items()
            if name == "iyu_workers"}  # fmt: skip
    assert seen == {"v1": 2, "v2": 1}
    assert site.scrape()["iyu_last_sweep_age_seconds", ()] < 60
    with writing(site.engine) as connection:
        heartbeats.forget_dead(connection)
        left = select(func.count()).select_from(tables.heartbeats)
        assert connection.execute(left).scalar() == 4


def test_the_feed_is_as_late_as_its_slowest_reader(site: Site):
    nothing = {"held-back": 0.0, "consumers": 0.0, "webhooks": 0.0}
    lags = ("iyu_results_feed_lag_seconds",)
    seen = site.scrape()
    assert {name: seen[(*lags, (name,))] for name in nothing} == nothing
    with writing(site.engine) as connection:
        start = end_of_feed(connection)
        record(connection, Kind.SCORED, "shop", ["1"])
        old = {"happened_at": utc_now() - timedelta(minutes=9)}
        connection.execute(update(tables.result_events).values(**old))
    with writing(site.engine) as connection:
        add_webhook(connection, "https://receiver.example/", Filter(), start)
        move_consumer(connection, "reports", None, end_of_feed(connection))
        record(connection, Kind.DEAD, "shop", ["2"])
    seen = site.scrape()
    assert 540 <= seen[(*lags, ("webhooks",))] < 600
    assert 0 < seen[(*lags, ("consumers",))] < 60
    assert seen["iyu_webhooks", ("active",)] == 1
    with writing(site.engine) as connection:
        connection.execute(update(tables.webhooks).values(failing_since=utc_now(), given_up=3))
    seen = site.scrape()
    assert (seen["iyu_webhooks", ("active",)], seen["iyu_webhooks", ("failing",)]) == (0, 1)
    assert seen["iyu_webhook_deliveries_given_up_total", ()] == 3


def test_events_that_an_older_transaction_holds_back_are_seen(postgres_url: str, redis_server):
    settings = Settings(broker_url=redis_server.url, database_url=postgres_url)
    with connected(postgres_url) as engine:
        upgrade(engine)
        collector = IyuCollector(settings, engine)
        with engine.begin() as older:
            record(older, Kind.SCORED, "shop", ["1"])
            with writing(engine) as connection:
                record(connection, Kind.SCORED, "shop", ["2"])
            seen = samples(collector.collect())
            assert seen["iyu_results_feed_lag_seconds", ("held-back",)] > 0
        seen = samples(collector.collect())
        assert seen["iyu_results_feed_lag_seconds", ("held-back",)] == 0


def test_a_side_that_is_down_hides_no_other(site: Site, redis_server):
    redis_server.kill()
    seen = site.scrape()
    assert seen["iyu_up", ("broker",)] == 0
    assert seen["iyu_up", ("database",)] == 1
    assert ("iyu_unacknowledged_messages", ()) not in seen
    assert ("iyu_reviews_pending", ("reviews.bulk", "queued")) in seen
    redis_server.start()
    with writing(site.engine) as connection:
        connection.execute(text("ALTER TABLE chunks RENAME TO elsewhere"))
    seen = site.scrape()
    assert seen["iyu_up", ("broker",)] == 1
    assert seen["iyu_up", ("database",)] == 0
    assert ("iyu_reviews_pending", ("reviews.bulk", "queued")) not in seen


def test_there_are_few_series_whatever_happened(site: Site):
    for number in range(30):
        site.accept(queue=Rescore(f"model{number}"))
    chunks = site.accept(len(Reason))
    with writing(site.engine) as connection:
        for reason, chunk in zip(Reason, chunks, strict=True):
            bury_review(connection, chunk, Review(reason, "글"), reason, "")
        for number in range(40):
            heartbeats.beat(connection, heartbeats.worker_heartbeat(f"v{number}"))
        heartbeats.beat(connection, heartbeats.sweep_heartbeat())
    seen = site.scrape()
    assert len(seen) <= MOST_SERIES
    labels = {label for _, values in seen for label in values}
    assert not any(heartbeats.this_host() in label for label in labels)


def test_tables_have_their_size_in_parts_too(postgres_url: str, redis_server):
    settings = Settings(broker_url=redis_server.url, database_url=postgres_url)
    with connected(postgres_url) as engine:
        upgrade(engine)
        with writing(engine) as connection:
            connection.exec_driver_sql(
                "ALTER TABLE resubmissions RENAME TO old;"
                "CREATE TABLE resubmissions (LIKE old) PARTITION BY LIST (source);"
                "CREATE TABLE shop PARTITION OF resubmissions FOR VALUES IN ('shop');"
                "INSERT INTO resubmissions SELECT 'shop', i, now() FROM generate_series(1, 500) i;"
                "ANALYZE resubmissions; ANALYZE chunks"
            )
        seen = samples(IyuCollector(settings, engine).collect())
    assert seen["iyu_table_rows", ("resubmissions",)] == 500
    assert seen["iyu_table_bytes", ("resubmissions",)] >= 500 * 20
    assert seen["iyu_table_rows", ("chunks",)] == 0
    assert seen["iyu_database_bytes", ()] > seen["iyu_table_bytes", ("chunks",)] > 0


def test_every_table_that_grows_is_watched():
    small = {"models", "batches", "heartbeats", "ledger_totals"}
    small |= {"result_feed", "result_consumers", "webhooks", "webhook_secrets"}
    small |= {"gateway_tokens", "days_to_recount", "verifications"}
    small |= {"model_comparisons", "model_comparison_examples"}
    small |= {"table_readers", "privacy", "ingest_positions"}
    assert set(tables.metadata.tables) - set(TABLES) == small


def test_a_scrape_reads_no_large_table_from_end_to_end(sqlite_url: str, redis_server):
    """On SQLite the plan says it; PostgreSQL has the same indexes."""
    large = ("reviews", "predictions", "explanations", "chunks", "dead_letters", "keyword_days")
    statements: list[tuple[str, Any]] = []
    settings = Settings(broker_url=redis_server.url, database_url=sqlite_url)
    with connected(sqlite_url) as engine:
        upgrade(engine)
        collector = IyuCollector(settings, engine)
        samples(collector.collect())  # the first one sums up what is there

        @event.listens_for(engine, "before_cursor_execute")
        def _note(_c: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
            statements.append((statement, given))

        samples(collector.collect())
        asked = [(s, given) for s, given in statements if s.lstrip().startswith("SELECT")]
        assert len(asked) > 5
        with reading(engine) as connection:
            plans = [
                row.detail
                for statement, given in asked
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            ]
    assert [plan for plan in plans if plan in {f"SCAN {name}" for name in large}] == []


def counted(seen: Samples) -> Samples:
    """What only grows."""
    return {
        key: value
        for key, value in seen.items()
        if key[0].endswith(("_total", "_count", "_bucket", "_sum"))
    }
