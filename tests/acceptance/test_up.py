"""`iyu up` as real processes: it works, revives what dies, stops cleanly, and goes on."""

import contextlib
import re
import signal
from urllib.request import urlopen

import psutil
import pytest
from sqlalchemy import func, select

from iyu.console.local.env_file import read_environment
from iyu.schemas.broker.publisher import Publisher, make_app
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql.engine import connect, reading, writing
from iyu.schemas.sql.tables import predictions
from tests.harness.polling import poll
from tests.harness.services import Process, child_environment, iyu_command, run_iyu

pytestmark = pytest.mark.acceptance

#: Seconds until Redis, worker and model are up, on a busy machine.
UP_SECONDS = 120.0


@pytest.fixture
def up(start, tmp_path):
    def start_up() -> Process:
        process = start(iyu_command("up", "--concurrency", "1"), child_environment())
        poll(UP_SECONDS, lambda: "Ctrl-C stops" in process.output() or not process.running)
        assert process.running, process.output()
        return process

    return start_up


@pytest.fixture
def settings(tmp_path):
    """What a command in the same folder finds; only once `up` has run."""

    def load() -> Settings:
        found = read_environment(tmp_path / "iyu-data")
        return Settings(broker_url=found["IYU_BROKER_URL"], database_url=found["IYU_DATABASE_URL"])

    return load


def send(settings: Settings, review_id: str) -> None:
    chunk = Chunk(new_id(), "test", (Review(review_id, "정말 재미있는 영화예요"),), utc_now())
    engine = connect(settings.database)
    with writing(engine) as connection:
        ledger.accept(connection, [chunk])
    engine.dispose()
    app = make_app(settings)
    Publisher(app, settings.broker).publish([chunk])
    app.close()


def scored(settings: Settings) -> int:
    engine = connect(settings.database)
    with reading(engine) as connection:
        count = connection.execute(select(func.count()).select_from(predictions)).scalar_one()
    engine.dispose()
    return int(count)


def child(process: Process, word: str) -> psutil.Process | None:
    """The first child process with a word on its command line."""
    for found in psutil.Process(process.pid).children():
        with contextlib.suppress(psutil.Error):  # it may end while we look
            if word in " ".join(found.cmdline()):
                return found
    return None


def page_of(process: Process, path: str) -> str | None:
    """What the page that `up` names has at a path; None until it answers."""
    [address] = re.findall(r"http://127\.0\.0\.1:\d+(?=/$)", process.output(), re.MULTILINE)[:1]
    with contextlib.suppress(OSError), urlopen(address + path, timeout=10) as response:
        return str(response.read().decode())
    return None


def test_it_scores_revives_what_dies_stops_cleanly_and_goes_on(up, settings, tmp_path):
    first = up()
    assert run_iyu("health", environment=child_environment(), cwd=tmp_path).returncode == 0
    send(settings(), "before")
    poll(UP_SECONDS, lambda: scored(settings()) == 1)
    shown = poll(60, lambda: page_of(first, "/reviews.json"))
    assert "정말 재미있는 영화예요" in shown

    refused = run_iyu("up", environment=child_environment(), cwd=tmp_path)
    assert refused.returncode == 2
    assert "in use" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1

    for word in ("beat", "redis-server", "worker"):
        dead = child(first, word)
        assert dead is not None
        dead.kill()
        poll(60, lambda word=word, dead=dead: (new := child(first, word)) and new.pid != dead.pid)
    send(settings(), "after the accidents")
    poll(UP_SECONDS, lambda: scored(settings()) == 2)

    family = psutil.Process(first.pid).children(recursive=True)
    first.signal(signal.SIGINT)
    assert first.wait(90) == 0
    assert "정말" not in first.output()
    poll(30, lambda: not any(p.is_running() for p in family))

    up()
    send(settings(), "the next day")
    poll(UP_SECONDS, lambda: scored(settings()) == 3)


def test_a_model_that_is_not_there_ends_up_with_one_clear_line(start, tmp_path):
    process = start(iyu_command("up", "--model", "/no/such/model"), child_environment())
    assert process.wait(60) == 2
    assert "no model artifact" in process.output()
    assert "Traceback" not in process.output()
