"""The first seconds of a worker: what it takes, when it is ready, how it stops."""

import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from iyu.schemas.contract.message import Queue
from tests.acceptance.faults.system import READY_SECONDS, SETTINGS
from tests.harness.polling import poll
from tests.harness.services import Process, child_environment, iyu_command, run_iyu

pytestmark = pytest.mark.acceptance

#: Seconds in which an image's first process has to be seen; it lives much longer.
BORN_SECONDS = 30.0
LOADED = "is ready"


@pytest.fixture
def environment(redis_server, sqlite_url: str, tmp_path: Path) -> dict[str, str]:
    found = child_environment(
        IYU_BROKER_URL=redis_server.url,
        IYU_DATABASE_URL=sqlite_url,
        IYU_HEARTBEAT_FILE=str(tmp_path / "iyu.heartbeat"),
        **SETTINGS,
    )
    assert run_iyu("db", "upgrade", environment=found, cwd=tmp_path).returncode == 0
    return found


Start = Callable[[list[str], dict[str, str]], Process]


def test_a_worker_takes_nothing_and_is_not_ready_before_its_model_is_loaded(
    environment, redis_server, start: Start, tmp_path: Path
):
    (tmp_path / "iyu.ready").touch()  # of a worker before
    with redis_server.client() as client:
        client.lpush(Queue.LIVE, "anything: it becomes a dead letter")
        worker = start(iyu_command("worker", "--concurrency", "2"), environment)
        poll(READY_SECONDS, lambda: " ready." in worker.output())

        def is_loaded() -> bool:
            assert worker.running, worker.output()[-4000:]
            waits = client.llen(Queue.LIVE)
            is_marked = (tmp_path / "iyu.ready").exists()
            loaded = worker.output().count(LOADED)  # looked at last: it was no more before
            assert loaded or waits == 1
            assert loaded == 2 or not is_marked
            return loaded == 2

        poll(READY_SECONDS, is_loaded)
        poll(READY_SECONDS, lambda: client.llen(Queue.LIVE) == 0)
    poll(READY_SECONDS, (tmp_path / "iyu.ready").exists)


def test_term_while_the_model_loads_does_not_wait_for_it(environment, start: Start):
    worker = start(iyu_command("worker", "--concurrency", "1"), environment)
    poll(READY_SECONDS, lambda: psutil.Process(worker.pid).children())
    poll(READY_SECONDS, lambda: " ready." in worker.output())
    worker.signal(signal.SIGTERM)
    assert worker.wait(READY_SECONDS) == 0
    assert LOADED not in worker.output()


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_term_is_heard_by_the_first_process_of_a_container(command, environment, start: Start):
    """PID 1 has no signal handlers but its own: the default would ignore TERM."""
    unshare = shutil.which("unshare")
    if unshare is None or not may_make_namespaces(unshare):
        pytest.skip("no right to make a PID namespace here: no process can be PID 1")
    container = start([unshare, "--pid", "--fork", *iyu_command(command)], environment)

    process = poll(BORN_SECONDS, lambda: hears_term(psutil.Process(container.pid)))
    process.send_signal(signal.SIGTERM)
    container.wait(READY_SECONDS)
    assert LOADED not in container.output()


def may_make_namespaces(unshare: str) -> bool:
    done = subprocess.run([unshare, "--pid", "--fork", "true"], check=False, capture_output=True)
    return done.returncode == 0


def hears_term(container: psutil.Process) -> psutil.Process | None:
    """The first process of a namespace once it catches TERM: the bit of SIGTERM in SigCgt."""
    for process in container.children():
        status = Path(f"/proc/{process.pid}/status").read_text()
        [caught] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
        if int(caught, 16) >> (signal.SIGTERM - 1) & 1:
            return process
    return None
