"""What a worker's commands do where something they need is missing: one line, no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from iyu.console.terminal.optional_libraries import WORKER

WITHOUT_LIBRARIES = f"import sys; sys.modules.update(dict.fromkeys({WORKER}));"
WITHOUT_TEMPORARY_FOLDER = """
import tempfile
def none(): raise FileNotFoundError(2, "No usable temporary directory found")
tempfile.gettempdir = none
"""


def python(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: v for name, v in os.environ.items() if not name.startswith("IYU_")}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, cwd=folder, env=environment, check=False,
    )  # fmt: skip


def iyu(before: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(f"{before}\nfrom iyu.console.main import main; main()", folder, *arguments)


def test_beat_needs_no_library_of_the_worker(tmp_path: Path):
    code = (
        "from iyu.worker.service.celery_app import make_worker_app, run_beat;"
        "from iyu.worker.settings import WorkerSettings;"
        "print(*make_worker_app(WorkerSettings.load()).conf.beat_schedule)"
    )
    ended = python(WITHOUT_LIBRARIES + code, tmp_path)
    assert (ended.stdout, ended.stderr) == ("sweep\n", "")


def test_a_worker_without_a_temporary_folder_says_what_to_set(tmp_path: Path):
    ended = iyu(WITHOUT_TEMPORARY_FOLDER, tmp_path, "worker")
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert line.startswith("iyu: error: no temporary folder can be written")
    assert "IYU_HEARTBEAT_FILE" in line


@pytest.mark.parametrize("set_file", [True, False])
def test_settings_need_no_temporary_folder(tmp_path: Path, set_file: bool):
    code = "from iyu.worker.settings import WorkerSettings; print(WorkerSettings.load({}).model)"
    option = "heartbeat_file='beat'" if set_file else ""
    ended = python(WITHOUT_TEMPORARY_FOLDER + code.format(option), tmp_path)
    assert (ended.stdout, ended.stderr) == ("wide\n", "")
