"""The folder of `iyu up`: whatever its name, private, and whole in one file when it stops."""

import stat

import pytest
from sqlalchemy import text

from iyu.console.local import data_folder
from iyu.console.local.data_folder import DataFolder, run_locally
from iyu.console.local.env_file import read_environment
from iyu.schemas.contract.errors import SettingsError
from iyu.schemas.sql.engine import connected, reading, writing


@pytest.fixture
def without_worker(monkeypatch):
    """Worker and beat as processes that only wait."""
    monkeypatch.setattr(data_folder, "command", lambda *_: ["sleep", "600"])


@pytest.mark.parametrize(
    "name", ["a?b", "100%25", 'it\'s "here"', "two\nlines", "back\\slash", "한글 폴더", "a#b@c"]
)
def test_a_folder_may_have_any_name(tmp_path, without_worker, name):
    folder = DataFolder(tmp_path / name)
    with run_locally(folder, print) as (_, variables):
        assert (tmp_path / name / "redis" / "appendonlydir").is_dir()
        assert read_environment(tmp_path / name) == variables
        with connected(variables["IYU_DATABASE_URL"]) as engine, reading(engine) as connection:
            assert connection.execute(text("SELECT COUNT(*) FROM reviews")).scalar_one() == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "iyu.db").is_file()


def test_its_files_are_its_owners_alone_and_the_log_is_emptied(tmp_path, without_worker):
    folder = DataFolder(tmp_path / "data")
    with (
        run_locally(folder, print) as (_, variables),
        connected(variables["IYU_DATABASE_URL"]) as engine,
    ):
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO resubmissions VALUES ('s', '1', '2026-01-01')"))
        assert (tmp_path / "data" / "iyu.db-wal").stat().st_size > 0
        open_files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in open_files}
        assert set(modes.values()) == {0}, modes
    log = tmp_path / "data" / "iyu.db-wal"
    assert not log.exists() or log.stat().st_size == 0


def test_a_file_in_place_of_the_folder_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(SettingsError, match="is no folder; give another --data"),
        run_locally(DataFolder(tmp_path / "file"), print),
    ):
        pass


def test_a_damaged_environment_file_is_written_anew(tmp_path, without_worker):
    (tmp_path / "iyu.env").write_bytes(b"export IYU_BROKER_URL='\xff\n")
    with run_locally(DataFolder(tmp_path), print) as (_, variables):
        assert read_environment(tmp_path) == variables
