"""The cache of compiled passes: read at the next start, never trusted, never in the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from iyu.worker.compile_cache import FLAGS, clear, enable, seal
from iyu.worker.settings import WorkerSettings

#: A process that compiles a pass through the cache, as a worker does at its start.
START = """
import sys
from iyu.worker import scoring
from iyu.worker.service.child_process import _warm_scorer
from iyu.worker.settings import WorkerSettings

class Scorer:
    @classmethod
    def load(cls, model, methods):
        return cls()

    def warm_up(self):
        import tensorflow as tf
        f = tf.function(lambda x: tf.reduce_sum(tf.tanh(x @ x)), jit_compile=True, autograph=False)
        self.result = float(f(tf.eye(3)))

scoring.Scorer = Scorer
print("result", _warm_scorer(WorkerSettings(compile_cache=sys.argv[1])).result)
"""


@pytest.fixture(autouse=True)
def no_flags(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(FLAGS, "")


def opened(base: Path) -> Path:
    """The folder below `base`, with the flag as a new process has it."""
    os.environ[FLAGS] = ""
    folder = enable(base)
    assert folder is not None
    return folder


def start(base: Path) -> str:
    command = [sys.executable, "-P", "-c", START, str(base)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def result(output: str) -> str:
    return next(line for line in output.splitlines() if line.startswith("result"))


def test_a_second_start_reads_what_the_first_compiled_and_survives_what_is_damaged(tmp_path: Path):
    first = start(tmp_path)
    (entry,) = tmp_path.glob("*/*.pb")
    good = entry.read_bytes()
    entry.write_bytes(good[: len(good) // 2])
    seal(entry.parent)  # with a checksum that says it is right: only reading shows the damage
    second = start(tmp_path)
    assert "compiling anew" not in first
    assert "compiling anew" in second
    assert result(second) == result(first)
    assert [file.stat().st_size for file in entry.parent.glob("*.pb")] == [
        pytest.approx(len(good), rel=0.1)
    ]


def test_xla_is_told_the_folder_beside_the_users_own_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(FLAGS, "--tf_xla_clustering_debug")
    folder = enable(tmp_path)
    option = f"--tf_xla_persistent_cache_directory={folder}"
    assert os.environ[FLAGS] == f"--tf_xla_clustering_debug {option}"
    assert enable(tmp_path / "other") is None  # the user's own folder, or ours, is there already


def test_what_no_finished_start_wrote_down_is_removed(tmp_path: Path):
    folder = opened(tmp_path)
    (folder / "kept.pb").write_bytes(b"code")
    (folder / "changed.pb").write_bytes(b"code")
    seal(folder)
    (folder / "changed.pb").write_bytes(b"other code")
    (folder / "planted.pb").write_bytes(b"code")
    assert [file.name for file in opened(tmp_path).glob("*.pb")] == ["kept.pb"]


@pytest.mark.parametrize("checksums", ["", "[]", '{"kept.pb": 3}', "\0\xff"])
def test_damaged_checksums_empty_the_cache(tmp_path: Path, checksums: str):
    folder = opened(tmp_path)
    (folder / "kept.pb").write_bytes(b"code")
    seal(folder)
    (folder / "checksums.json").write_text(checksums, "latin-1")
    assert not list(opened(tmp_path).glob("*.pb"))


def test_a_cleared_cache_is_empty(tmp_path: Path):
    folder = opened(tmp_path)
    (folder / "kept.pb").write_bytes(b"code")
    seal(folder)
    clear(folder)
    assert not list(folder.iterdir())


def test_the_folder_is_this_users_alone(tmp_path: Path):
    folder = opened(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    os.environ[FLAGS] = ""
    assert enable(tmp_path) is None
    assert os.environ[FLAGS] == ""


def test_a_folder_that_cannot_be_made_costs_time_alone(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder", "utf-8")
    assert enable(tmp_path / "file") is None
    assert os.environ[FLAGS] == ""


def test_the_setting_names_the_folder_or_turns_the_cache_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.delenv("IYU_COMPILE_CACHE", raising=False)
    assert WorkerSettings().compile_cache == Path("/somewhere/iyu/compiled")
    monkeypatch.setenv("IYU_COMPILE_CACHE", "/elsewhere")
    assert WorkerSettings().compile_cache == Path("/elsewhere")
    monkeypatch.setenv("IYU_COMPILE_CACHE", "")
    assert WorkerSettings().compile_cache is None
