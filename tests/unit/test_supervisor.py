"""The supervisor starts in order, revives, and stops in reverse order."""

import os
import signal
from collections.abc import Iterator

import pytest

import iyu.console.local.supervisor as supervisor_module
from iyu.console.local.data_folder import DataFolder
from iyu.console.local.supervisor import ChildProcess, Supervisor
from iyu.schemas.contract.errors import BrokerUnavailable, SettingsError


class FakeService:
    """Writes down what is done to it."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self.name, self.diary, self.running = name, diary, False
        self.fails = 0

    def start(self) -> None:
        self.diary.append(f"start {self.name}")
        if self.fails:
            self.fails -= 1
            raise BrokerUnavailable("not yet")
        self.running = True

    def stop(self) -> None:
        self.diary.append(f"stop {self.name}")
        self.running = False


@pytest.fixture
def diary() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(supervisor_module, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(supervisor_module, "FIRST_DELAY", 0.01)
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_what_starts_first_stops_last(diary):
    services = {name: FakeService(name, diary) for name in ("redis", "worker")}
    with Supervisor(services, diary.append).running():
        pass
    assert diary == ["start redis", "start worker", "stop worker", "stop redis"]


def test_what_started_is_stopped_also_if_the_next_does_not_start(diary):
    services = {name: FakeService(name, diary) for name in ("redis", "worker")}
    services["worker"].fails = 1
    with pytest.raises(BrokerUnavailable), Supervisor(services, diary.append).running():
        pass
    assert diary[-1] == "stop redis"


def test_a_dead_service_is_started_until_it_lives(diary):
    service = FakeService("worker", diary)
    supervisor = Supervisor({"worker": service}, diary.append)
    service.fails = 2
    supervisor._watched[0].delay = 0.01
    assert supervisor.watch(until=lambda: service.running)
    assert diary.count("start worker") == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_watch(diary, number):
    supervisor = Supervisor({}, diary.append)

    def signalled() -> bool:
        os.kill(os.getpid(), number)
        return False

    assert not supervisor.watch(until=signalled)


def test_a_child_with_wrong_settings_is_not_started_again(tmp_path):
    child = ChildProcess(["sh", "-c", "exit 2"], {}, tmp_path / "log")
    child.start()
    child._process.wait(30)
    with pytest.raises(SettingsError):
        _ = child.running


def test_a_folder_belongs_to_one_at_a_time(tmp_path):
    with (
        DataFolder(tmp_path).locked(),
        pytest.raises(SettingsError, match="in use"),
        DataFolder(tmp_path).locked(),
    ):
        pass
    with DataFolder(tmp_path).locked():
        pass
