"""From the Celery task to SQL a reader passes at most six functions of iyu."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import FrameType

import pytest
from celery import Celery
from sqlalchemy import Engine, event

from iyu.schemas.contract.message import TASK, Chunk, Queue, Rescore, new_id
from iyu.schemas.contract.review import Review
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql.engine import writing
from iyu.worker import chunk as chunk_module
from iyu.worker.chunk import Runtime
from iyu.worker.scoring import Prediction
from iyu.worker.service.celery_app import make_worker_app
from iyu.worker.service.celery_tasks import register
from iyu.worker.service.child_process import WorkerProcess
from iyu.worker.settings import WorkerSettings
from iyu.worker.transport.envelope import BURY_TASK, SWEEP_TASK
from tests.harness.fakes import FakeScorer

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MOST = 6


class PickyScorer(FakeScorer):
    """Fails a text that says so."""

    def _one(self, text: str) -> Prediction:
        if text == "실패":
            raise ValueError("as the test wants")
        return super()._one(text)


class NoPublisher:
    def publish(self, chunks: list[Chunk]) -> None:
        """Take them."""


@pytest.fixture
def runtime(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.setattr(chunk_module, "DELTAS_AT_ONCE", 1)  # add words with every chunk
    address = engine.url.render_as_string(hide_password=False)
    settings = WorkerSettings(database_url=address, broker_url="redis://127.0.0.1:1/0")
    return Runtime(settings, engine, PickyScorer("v1"), NoPublisher())  # type: ignore[arg-type]


@pytest.fixture
def app(runtime: Runtime) -> Iterator[Celery]:
    """The worker's application; its tasks run here."""
    made = make_worker_app(runtime.settings)
    process = WorkerProcess(runtime.settings, made)
    process._runtime = runtime
    register(made, process)
    yield made
    made.close()


@pytest.fixture
def depths(engine: Engine) -> dict[str, list[str]]:
    """The functions of iyu on the stack, by statement."""
    found: dict[str, list[str]] = {}

    @event.listens_for(engine, "before_cursor_execute")
    def _record(_c, _cursor, statement: str, *_: object) -> None:
        frame: FrameType | None = sys._getframe(1)
        own = []
        while frame:
            if frame.f_globals["__name__"].startswith("iyu."):
                own.append(frame.f_code.co_qualname)
            frame = frame.f_back
        found[statement] = max(own, found.get(statement, []), key=len)

    return found


def send(app: Celery, texts: dict[str, str], *, hours: int = 0, chunk_id: str = "", **how) -> None:
    reviews = tuple(Review(key, text) for key, text in texts.items())
    chunk = Chunk(chunk_id or new_id(), "shop", reviews, NOON + timedelta(hours=hours), **how)
    args, kwargs = chunk.arguments()
    app.tasks[TASK].apply(args, kwargs, routing_key=chunk.queue, throw=True)


def kill(engine: Engine, chunk_id: str, texts: dict[str, str]) -> None:
    """Let a chunk kill its process as often as it may."""
    reviews = tuple(Review(key, text) for key, text in texts.items())
    with writing(engine) as connection:
        for _ in range(3):
            ledger.begin(connection, Chunk(chunk_id, "shop", reviews, NOON))


def everything(app: Celery, engine: Engine) -> None:
    """Do all that a task may do."""
    send(app, {"1": "좋은 영화", "2": "나쁜 영화"}, purpose=Queue.LIVE)
    send(app, {"1": "다시 보니 나쁜 영화", "2": "나쁜 영화", "3": "새 영화"}, hours=1)
    send(app, {"1": "좋은 영화"}, hours=2)  # a replaced text comes back
    send(app, {"2": "나쁜 영화"}, purpose=Rescore("v1"))
    send(app, {"4": "실패", "5": "좋은 영화", "6": ""})
    for texts in ({"7": "가", "8": "나"}, {"9": "다"}):
        doomed = new_id()
        kill(engine, doomed, texts)
        send(app, texts, chunk_id=doomed)
    app.tasks[TASK].apply(("no id", []), routing_key="reviews.bulk", throw=True)
    app.tasks[BURY_TASK].apply(("garbage", "bad-message", "broken"), throw=True)
    app.tasks[SWEEP_TASK].apply(throw=True)


def test_at_most_six_functions_lie_between_the_task_and_sql(
    app: Celery, engine: Engine, depths: dict[str, list[str]]
):
    everything(app, engine)
    written = {
        words[2].split("(")[0]
        for words in map(str.split, depths)
        if words[:2] == ["INSERT", "INTO"]
    }
    assert written >= {
        *("reviews", "predictions", "explanations", "models", "chunks", "dead_letters"),
        *("day_deltas", "keyword_days", "review_days"),
    }
    of_tasks = {s: own for s, own in depths.items() if any("_register" in name for name in own)}
    too_deep = {s[:60]: own for s, own in of_tasks.items() if len(own) > MOST}
    assert not too_deep
    assert len(of_tasks) > len(depths) / 2
