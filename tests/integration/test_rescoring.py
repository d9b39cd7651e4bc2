"""A campaign over stored reviews: which it takes, how many at once, and how it goes on."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from iyu.producer import rescore as rescoring
from iyu.producer.rescore import AHEAD, Campaign, Selection
from iyu.schemas.contract.message import Chunk, Queue, new_id, rescore_queue
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading, writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import CREATED, FakeBroker, FakeScorer

HOUR = timedelta(hours=1)


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


def runtime(engine: Engine, version: str) -> Runtime:
    return Runtime(WorkerSettings(), engine, FakeScorer(version), None)  # type: ignore[arg-type]


def chunk(texts: dict[str, str], moment: datetime = CREATED, source: str = "shop") -> Chunk:
    reviews = tuple(Review(key, text) for key, text in texts.items())
    return Chunk(new_id(), source, reviews, moment, purpose=Queue.LIVE)


def store(engine: Engine, texts: dict[str, str], *where: Any) -> None:
    score_chunk(runtime(engine, "old"), chunk(texts, *where), ())


def campaign(engine: Engine, broker: FakeBroker, size: int = 512, **wanted: Any) -> Campaign:
    return Campaign(engine, broker, Selection("new", **wanted), chunk_size=size)


def work(engine: Engine, broker: FakeBroker) -> list[Chunk]:
    taken = broker.take()
    for given in taken:
        score_chunk(runtime(engine, "new"), given, ())
    return taken


def names(taken: list[Chunk]) -> list[tuple[str, str]]:
    return [(given.source, review.review_id) for given in taken for review in given.reviews]


def run(engine: Engine, broker: FakeBroker, **wanted: Any) -> list[tuple[str, str]]:
    new = campaign(engine, broker, **wanted)
    done: list[tuple[str, str]] = []
    while not new.step():
        done += names(work(engine, broker))
    new.close()
    return done


def scored(engine: Engine, version: str = "new") -> int:
    with reading(engine) as connection:
        query = select(tables.predictions).where(tables.predictions.c.model_version == version)
        return len(connection.execute(query).all())


def test_every_stored_review_is_scored_once_and_a_second_run_finds_nothing(engine, broker):
    store(engine, {"1": "좋다", "2": "싫다"})
    store(engine, {"1": "다른 곳"}, CREATED, "blog")
    assert run(engine, broker) == [("blog", "1"), ("shop", "1"), ("shop", "2")]
    assert (scored(engine), scored(engine, "old")) == (3, 3)
    assert run(engine, broker) == []


def test_a_changed_text_is_scored_again(engine, broker):
    store(engine, {"1": "좋다", "2": "싫다"})
    run(engine, broker)
    store(engine, {"1": "다시 보니 싫다"}, CREATED + HOUR)
    assert run(engine, broker) == [("shop", "1")]


def test_source_since_and_limit_narrow_it(engine, broker):
    store(engine, {"1": "가", "2": "나"})
    store(engine, {"3": "다", "4": "라"}, CREATED + HOUR)
    store(engine, {"5": "마"}, CREATED + HOUR, "blog")
    assert run(engine, broker, source="shop", since=CREATED + HOUR, limit=1) == [("shop", "3")]
    assert run(engine, broker, source="shop", since=CREATED + HOUR) == [("shop", "4")]
    with reading(engine) as connection:
        assert Selection("new").count(connection) == 3
        assert Selection("new", limit=2).count(connection) == 2


def test_a_chunk_is_as_old_as_its_oldest_review_and_waits_in_its_models_queue(engine, broker):
    store(engine, {"1": "가"}, CREATED + HOUR)
    store(engine, {"2": "나"}, CREATED)
    campaign(engine, broker).step()
    [given] = broker.published
    assert (given.submitted_at, given.queue) == (CREATED, rescore_queue("new"))
    with reading(engine) as connection:
        published = connection.execute(
            select(tables.chunks.c.published_at).where(tables.chunks.c.queue == given.queue)
        ).scalar_one()
    assert published is not None  # a sweep that sees only its old time would publish it again


def test_only_a_few_chunks_are_ahead_of_the_workers(engine, broker):
    store(engine, {f"{i:03}": f"글 {i}" for i in range(2 * AHEAD + 1)})
    new = campaign(engine, broker, size=1)
    new.step()
    assert len(broker.published) == AHEAD
    assert not new.step()
    assert len(broker.published) == AHEAD
    work(engine, broker)
    new.step()
    assert len(broker.published) == AHEAD


def test_while_live_reviews_wait_nothing_is_handed_over(engine, broker):
    store(engine, {"1": "가"})
    live = chunk({"2": "나"}, utc_now())
    with writing(engine) as connection:
        ledger.accept(connection, [live])
    new = campaign(engine, broker)
    assert not new.step()
    assert (broker.published, new.live_reviews) == ([], 1)
    score_chunk(runtime(engine, "old"), live, ())
    new.step()
    assert names(broker.published) == [("shop", "1"), ("shop", "2")]


def test_a_stopped_campaign_goes_on_without_what_is_under_way(engine, broker):
    store(engine, {str(i): f"글 {i}" for i in range(4)})
    campaign(engine, broker, size=2, limit=2).step()
    under_way = broker.take()
    again = campaign(engine, broker, size=2)
    again.step()
    assert names(broker.published) == [("shop", "2"), ("shop", "3")]
    work(engine, broker)
    assert not again.step()  # the first ones are still under way
    score_chunk(runtime(engine, "new"), under_way[0], ())
    assert again.step()
    assert scored(engine) == 4


def test_two_models_are_two_campaigns(engine, broker):
    store(engine, {"1": "가"})
    campaign(engine, broker).step()
    third = Campaign(engine, broker, Selection("third"), chunk_size=512)
    third.step()
    assert [given.queue for given in broker.published] == [
        rescore_queue("new"),
        rescore_queue("third"),
    ]


def test_the_batch_says_what_it_was(engine, broker):
    store(engine, {"1": "가", "2": "나"})
    run(engine, broker)
    with reading(engine) as connection:
        row = connection.execute(
            select(tables.batches).where(tables.batches.c.origin == "rescore new")
        ).one()
    assert (row.source, row.accepted, row.chunks) == ("(all sources)", 2, 1)
    assert row.closed_at is not None


def test_a_hundred_sources_fill_one_hand_over(engine, broker, monkeypatch):
    monkeypatch.setattr(rescoring, "AHEAD", 1)
    for number in range(3):
        store(engine, {"1": f"글 {number}"}, CREATED, f"source-{number}")
    assert len(run(engine, broker)) == 3
