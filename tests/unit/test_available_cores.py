import os
import subprocess
import sys
from pathlib import Path

import pytest

from iyu.worker.available_cores import available_cores


@pytest.fixture
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def group(folder: Path, name: str, **quotas: str) -> tuple[Path, Path]:
    """Return a process's cgroup file, and the tree of groups with these quotas."""
    own = folder / "cgroup"
    own.write_text(f"0::/{name}\n")
    tree = folder / "tree"
    (tree / name).mkdir(parents=True)
    for path, quota in quotas.items():
        (tree / path.replace("_", "/") / "cpu.max").write_text(quota + "\n")
    return own, tree


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", 8), ("300000 100000", 3), ("150000 100000", 1), ("50000 100000", 1)],
)
def test_a_quota_limits_the_cores_to_whole_ones(eight_cores, tmp_path, quota: str, cores: int):
    assert available_cores(*group(tmp_path, "pod", pod=quota)) == cores


def test_the_quota_of_a_group_above_counts_too(eight_cores, tmp_path):
    quotas = {"pod": "200000 100000", "pod_worker": "max 100000"}
    assert available_cores(*group(tmp_path, "pod/worker", **quotas)) == 2


def test_a_container_sees_its_own_group_as_the_root(eight_cores, tmp_path):
    own, tree = group(tmp_path, "")
    (tree / "cpu.max").write_text("400000 100000\n")
    assert available_cores(own, tree) == 4


def test_without_control_groups_the_affinity_counts(eight_cores, tmp_path):
    assert available_cores(tmp_path / "none", tmp_path) == 8


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux has affinity")
def test_a_worker_on_one_core_starts_one_process():
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]);"
        "from iyu.worker.settings import WorkerSettings; s = WorkerSettings.load();"
        "print(s.concurrency, s.threads)"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert output.split() == ["1", "1"]
