"""Without the extras `worker` and `train`, a command that needs them says so in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from iyu.console.terminal.optional_libraries import TRAIN, WORKER

#: Runs `iyu` as on a machine where some libraries are not installed.
WITHOUT = """
import sys
for name in sys.argv.pop(1).split(","):
    sys.modules[name] = None
from iyu.console.main import main
main()
"""


def run_without(libraries: tuple[str, ...], *arguments: str, cwd: Path):
    return subprocess.run(
        [sys.executable, "-P", "-c", WITHOUT, ",".join(libraries), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=60,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("worker",),
        ("beat",),
        ("up",),
        ("demo",),
        ("score", "좋아요"),
        ("train", "reviews.csv", "--out", "model"),
        ("evaluate", "reviews.csv"),
        ("evaluate-explanations", "reviews.csv"),
        ("rescore", "--model", "wide"),
        ("keywords",),
        ("models", "compare", "a", "b"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_without_the_worker_extra_it_is_one_line(arguments: tuple[str, ...], tmp_path: Path):
    done = run_without((*WORKER, *TRAIN), *arguments, cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("iyu: error: numpy is not installed; ")
    assert "pip install 'iyu[" in line
    assert list(tmp_path.iterdir()) == []


def test_without_the_train_extra_it_is_one_line(tmp_path: Path):
    done = run_without(TRAIN, "evaluate", "reviews.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "iyu: error: sklearn is not installed; this command needs: pip install 'iyu[train]'\n"
    )


def test_without_the_metrics_extra_it_is_one_line(tmp_path: Path):
    done = run_without(("prometheus_client",), "metrics", cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install 'iyu[metrics]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["submit", "status", "sql", "dead-letters list", "models list"])
def test_what_needs_no_extra_goes_as_far_as_its_settings(command: str, tmp_path: Path):
    """In an empty folder there is no database yet: that is what it reports."""
    extra = {"submit": ["none.csv"], "sql": ["SELECT 1"]}.get(command, [])
    done = run_without((*WORKER, *TRAIN), *command.split(), *extra, cwd=tmp_path)
    assert done.returncode == 2
    assert "is not installed" not in done.stderr
    assert "does not exist" in done.stderr
