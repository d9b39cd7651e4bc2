"""What scoring stored reviews again may change: one model's rows, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select

from iyu.schemas.broker.publisher import Publisher, make_app
from iyu.schemas.contract.errors import ArtifactError
from iyu.schemas.contract.message import Chunk, Queue, Rescore, new_id, rescore_queue
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql import tables
from iyu.schemas.sql.engine import reading, writing
from iyu.worker.chunk import Runtime, score_chunk
from iyu.worker.service.sweeper import sweep
from iyu.worker.settings import WorkerSettings
from tests.harness.fakes import FakeScorer

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def old(engine: Engine) -> Runtime:
    return Runtime(WorkerSettings(), engine, FakeScorer("old", 0.25), None)  # type: ignore[arg-type]


@pytest.fixture
def new(engine: Engine) -> Runtime:
    return Runtime(WorkerSettings(), engine, FakeScorer("new", 0.75), None)  # type: ignore[arg-type]


def live(texts: dict[str, str], moment: datetime = NOON) -> Chunk:
    reviews = tuple(Review(key, text) for key, text in texts.items())
    return Chunk(new_id(), "shop", reviews, moment)


def again(texts: dict[str, str], moment: datetime = NOON, version: str = "new") -> Chunk:
    return replace(live(texts, moment), purpose=Rescore(version))


def rows(engine: Engine, *columns: Any) -> list[Any]:
    with reading(engine) as connection:
        return sorted(map(tuple, connection.execute(select(*columns))))


def shown(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        query = "SELECT review_id, text, model_version FROM review_scores ORDER BY 1"
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def scored(engine: Engine) -> list[Any]:
    return rows(engine, tables.predictions.c.model_version, tables.predictions.c.review_id)


def test_both_models_stand_and_the_views_show_the_one_that_serves(engine, old, new):
    score_chunk(old, live({"1": "좋다", "2": "싫다"}), ())
    before = rows(engine, *tables.reviews.c)
    score_chunk(new, again({"1": "좋다", "2": "싫다"}), ())
    assert scored(engine) == [("new", "1"), ("new", "2"), ("old", "1"), ("old", "2")]
    assert shown(engine) == [("1", "좋다", "old"), ("2", "싫다", "old")]
    assert rows(engine, *tables.reviews.c) == before
    assert rows(engine, tables.resubmissions.c.review_id) == []


def test_a_newer_text_is_never_overwritten(engine, old, new):
    score_chunk(old, live({"1": "좋다"}), ())
    score_chunk(old, live({"1": "다시 보니 싫다"}, NOON + timedelta(hours=1)), ())
    score_chunk(new, again({"1": "좋다"}), ())
    assert shown(engine) == [("1", "다시 보니 싫다", "old")]
    assert scored(engine) == [("old", "1")]


def test_a_review_that_is_gone_stays_gone(engine, old, new):
    score_chunk(old, live({"1": "좋다", "2": "싫다"}), ())
    with writing(engine) as connection:
        connection.execute(delete(tables.reviews).where(tables.reviews.c.review_id == "1"))
    score_chunk(new, again({"1": "좋다", "2": "싫다"}), ())
    assert rows(engine, tables.reviews.c.review_id) == [("2",)]
    assert ("new", "1") not in scored(engine)


def test_a_model_that_was_tried_is_shown_once_it_serves(engine, old, new):
    score_chunk(old, live({"1": "좋다"}), ())
    score_chunk(new, again({"1": "좋다"}), ())
    score_chunk(new, live({"2": "싫다"}), ())
    assert shown(engine) == [("1", "좋다", "new"), ("2", "싫다", "new")]


def test_another_models_chunk_is_refused_untouched(engine, old):
    chunk = again({"1": "좋다"})
    with writing(engine) as connection:
        ledger.accept(connection, [chunk])
    with pytest.raises(ArtifactError, match="the chunk is for new"):
        score_chunk(old, chunk, ())
    assert rows(engine, tables.chunks.c.state, tables.chunks.c.attempts) == [("queued", 0)]


def test_a_lost_chunk_goes_back_to_the_queue_of_its_model(engine, redis_server):
    settings = Settings(
        broker_url=redis_server.url,
        database_url=engine.url.render_as_string(hide_password=False),
    )
    chunk = again({"1": "좋다"}, utc_now() - timedelta(hours=1))
    with writing(engine) as connection:
        ledger.accept(connection, [chunk])
        an_hour_ago = utc_now() - timedelta(hours=1)
        connection.execute(tables.chunks.update().values(accepted_at=an_hour_ago))
    publisher = Publisher(make_app(settings), settings.broker)
    assert sweep(settings, engine, publisher) == 1
    with redis_server.client() as client:
        assert client.llen(rescore_queue("new")) == 1
        assert not any(client.llen(queue) for queue in Queue)
    assert sweep(settings, engine, publisher) == 0
