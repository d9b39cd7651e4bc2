"""Child processes import our modules, whatever packages the current folder holds."""

import os
import subprocess
from pathlib import Path

import pytest

from iyu.console.local.data_folder import command

#: Packages that a shop may have under these names, and one with our own.
NAMES = ("schemas", "producer", "worker", "tests", "iyu")
RAISES = 'raise RuntimeError("not the module that was meant")\n'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with packages of these names that cannot be imported."""
    for name in NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(RAISES)
    return tmp_path


def run(shop: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("IYU_", "PYTHON"))}
    return subprocess.run(
        command(*arguments),
        env=inherited | variables,
        cwd=shop,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


#: What a command line of a child says once all its modules are imported.
CHILDREN = [
    (("worker", "--model", "/no/such/model"), "no model artifact"),
    (("submit", "none.csv"), "does not exist"),
    (("db", "check"), "does not exist yet"),
]


@pytest.mark.parametrize(("arguments", "says"), CHILDREN)
def test_the_current_folder_is_not_searched(shop: Path, arguments, says: str):
    done = run(shop, *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("arguments", "says"), CHILDREN)
def test_packages_on_the_users_path_hide_nothing(shop: Path, arguments, says: str):
    """All but one called `iyu`: that name is ours."""
    (shop / "iyu" / "__init__.py").unlink()
    done = run(shop, *arguments, PYTHONPATH=str(shop))
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_beat_starts_there_and_waits_for_its_broker(shop: Path):
    """Beat has no wrong input to end it: it runs on until it is stopped."""
    process = subprocess.Popen(
        command("beat"),
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        | {"IYU_BROKER_URL": "redis://127.0.0.1:1/0"},
        cwd=shop,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any("beat" in line.lower() for line in lines)
    finally:
        process.kill()
        process.communicate()
