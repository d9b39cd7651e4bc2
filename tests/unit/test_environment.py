"""Where a command finds broker and database: its environment, then `iyu up`'s file."""

import os
import stat

import pytest

from iyu.console.local.env_file import load_settings, read_environment, write_environment
from iyu.schemas.contract.errors import SettingsError
from iyu.worker.settings import WorkerSettings

RUNNING = {
    "IYU_BROKER_URL": "redis://:secret@127.0.0.1:7777/0",
    "IYU_DATABASE_URL": "sqlite:////srv/o'hara's data/iyu.db",
}


@pytest.fixture
def up(tmp_path, monkeypatch):
    for name in RUNNING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iyu-data").mkdir()
    write_environment(tmp_path / "iyu-data", RUNNING)
    return tmp_path / "iyu-data"


def test_what_up_wrote_is_found_from_its_folder(up):
    settings = load_settings()
    assert settings.broker == RUNNING["IYU_BROKER_URL"]
    assert settings.database == RUNNING["IYU_DATABASE_URL"]


def test_the_real_environment_counts_alone_and_is_never_mixed_with_the_file(up, monkeypatch):
    monkeypatch.setenv("IYU_DATABASE_URL", "postgresql://elsewhere/iyu")
    settings = load_settings()
    assert settings.database == "postgresql://elsewhere/iyu"
    assert "7777" not in settings.broker


def test_an_option_comes_before_everything(up):
    settings = load_settings(WorkerSettings, database_url="sqlite:///other.db", concurrency=3)
    assert settings.database == "sqlite:///other.db"
    assert settings.concurrency == 3
    assert settings.broker == RUNNING["IYU_BROKER_URL"]


def test_the_file_with_the_password_is_readable_by_its_owner_alone(up):
    assert stat.S_IMODE((up / "iyu.env").stat().st_mode) == 0o600


def test_without_the_file_nothing_is_found(tmp_path):
    assert read_environment(tmp_path) == {}


@pytest.mark.parametrize(
    "content", [b"export IYU_BROKER_URL='never closed\n", b"export IYU_BROKER_URL=\xff\n"]
)
def test_a_damaged_file_is_one_line(up, content):
    (up / "iyu.env").write_bytes(content)
    with pytest.raises(SettingsError, match=r"iyu\.env is damaged; delete it") as refused:
        load_settings()
    assert "\n" not in str(refused.value)


def test_a_link_in_its_place_is_neither_read_nor_written_through(up, tmp_path):
    planted = tmp_path / "planted"
    planted.write_text("export IYU_BROKER_URL=redis://elsewhere\n")
    (up / "iyu.env").unlink()
    (up / "iyu.env").symlink_to(planted)
    with pytest.raises(SettingsError, match=r"iyu\.env cannot be read"):
        load_settings()
    write_environment(up, RUNNING)
    assert planted.read_text() == "export IYU_BROKER_URL=redis://elsewhere\n"
    assert not (up / "iyu.env").is_symlink()
    assert read_environment(up) == RUNNING
    assert [path.name for path in up.iterdir()] == ["iyu.env"]


def test_a_pipe_in_its_place_holds_no_command_up(up):
    (up / "iyu.env").unlink()
    os.mkfifo(up / "iyu.env")
    with pytest.raises(SettingsError, match="no plain file"):
        load_settings()
