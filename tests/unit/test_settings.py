import tempfile
from pathlib import Path

import pytest
from pydantic import Field

from iyu.schemas.contract.errors import SettingsError
from iyu.schemas.contract.settings import Settings, mask
from iyu.schemas.sql.engine import connect
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
    assert mask(f"redis://:{SECRET}@broker:port/0") == "***"


@pytest.mark.parametrize(
    "address",
    [
        f"redis://broker:6379/0?password={SECRET}",
        f"redis://:a@{SECRET}@broker:6379/0",
        f"redis://{SECRET}@broker:6379/0",
        f"redis://:{SECRET}",
        f"postgresql://iyu@db/iyu?password={SECRET}",
        f"postgresql://iyu@db/iyu?sslpassword={SECRET}&sslmode=require",
    ],
)
def test_a_password_is_masked_wherever_it_stands_in_an_address(address: str):
    assert SECRET not in mask(address)
    assert "***" in mask(address)


def test_what_is_no_secret_stays_readable():
    assert mask("postgresql://iyu@db/iyu?sslmode=require") == (
        "postgresql://iyu@db/iyu?sslmode=require"
    )


@pytest.mark.parametrize("address", ["postgresql://iyu:hunter2@db:port/iyu", "mysql://db/iyu", ""])
def test_an_address_that_is_no_database_is_one_line(address: str):
    with pytest.raises(SettingsError, match="sqlite:///FILE") as raised:
        connect(address)
    assert SECRET not in str(raised.value)


def test_a_wrong_value_is_named_by_its_variable_and_never_shown(
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


def test_without_a_temporary_folder_a_default_in_it_is_one_line(monkeypatch: pytest.MonkeyPatch):
    class WithFile(Settings):
        file: Path = Field(default_factory=lambda: Path(tempfile.gettempdir()) / "iyu")

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    with pytest.raises(SettingsError, match="TMPDIR"):
        WithFile.load()
    assert WithFile.load(file="/some/iyu").file == Path("/some/iyu")
