import pytest

from iyu.schemas.contract.errors import SettingsError
from iyu.schemas.contract.settings import Settings, mask
from iyu.worker.settings import WorkerSettings

SECRET = "hunter2"


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("IYU_BROKER_URL", f"redis://:{SECRET}@broker:6379/0")
    monkeypatch.setenv("IYU_DATABASE_URL", f"postgresql://iyu:{SECRET}@db/iyu")
    return Settings.load()


def test_a_secret_shows_nowhere_but_where_it_is_used(secret: Settings):
    assert SECRET in secret.broker
    assert SECRET in secret.database
    assert SECRET not in repr(secret) + str(secret) + str(secret.describe())


def test_a_broken_address_is_masked_whole():
    assert mask(f"no address: {SECRET}") == "***"


def test_a_wrong_value_is_told_by_its_variable_and_not_by_its_value(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("IYU_CHUNK_SIZE", SECRET)
    with pytest.raises(SettingsError, match="IYU_CHUNK_SIZE") as raised:
        Settings.load()
    assert SECRET not in str(raised.value)


def test_a_message_must_stay_out_longer_than_its_task_may_take():
    with pytest.raises(SettingsError, match="IYU_VISIBILITY_TIMEOUT"):
        Settings.load(visibility_timeout=10, task_time_limit=10)


def test_methods_are_a_list_with_commas(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IYU_METHODS", "gradcam, kernel_gradcam")
    assert WorkerSettings.load().methods == ("gradcam", "kernel_gradcam")


def test_processes_times_threads_never_pass_the_cores(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("iyu.worker.settings.available_cores", lambda: 8)
    assert WorkerSettings.load(concurrency=3).threads == 2
    assert WorkerSettings.load(concurrency=16).threads == 1
