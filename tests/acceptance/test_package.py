"""What `pip install iyu` brings: one import name, and everything that the code reads beside it."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pytest

from tests.harness.services import ROOT

pytestmark = pytest.mark.acceptance

PORTIONS = ("schemas", "producer", "worker", "console")
#: What a shop's own code is called, in the folder where its program runs.
SHOP_PACKAGES = ("schemas", "producer", "worker", "console", "tests")
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"


def run(
    command: Sequence[str | Path], cwd: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=os.environ | variables, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source tree, built as an installer builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run([sys.executable, "-c", BUILD, folder], ROOT)
    assert built.returncode == 0, built.stderr
    return folder / built.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel alone, without dependencies, in a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    done = run([*pip, "--no-deps", "--no-index", "--target", target, wheel], target)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A shop's own packages with names that iyu's folders have too; importing one of them fails."""
    for name in SHOP_PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise ImportError('the {name} of the shop')")
    return tmp_path


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_only_top_level_package_is_iyu(wheel: Path):
    tops = {name.split("/")[0] for name in names_in(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"iyu"}
    assert "iyu/__init__.py" not in names_in(wheel)


def test_everything_that_the_code_reads_is_inside(wheel: Path):
    names = set(names_in(wheel))
    shipped = [
        *(f"iyu/{portion}/py.typed" for portion in PORTIONS),
        "iyu/schemas/contract/message.schema.json",
        "iyu/schemas/sql/migrations/script.py.mako",
        "iyu/console/demo/reviews.tsv",
        *(f"iyu/worker/artifacts/{preset}/{file}"
          for preset in ("source", "wide")
          for file in ("manifest.json", "model.keras", "vocabulary.json")),
        "iyu/worker/artifacts/wide/tables.npz",
    ]  # fmt: skip
    assert [name for name in shipped if name not in names] == []
    versions = ROOT / "schemas/iyu/schemas/sql/migrations/versions"
    for file in versions.glob("[0-9]*.py"):
        assert f"iyu/schemas/sql/migrations/versions/{file.name}" in names


def test_a_shops_own_packages_hide_nothing(installed: Path, shop: Path):
    program = (
        "from iyu.producer import Producer\n"
        "import iyu.schemas, iyu.producer, iyu.worker, iyu.console\n"
        "for portion in (iyu.schemas, iyu.producer, iyu.worker, iyu.console):\n"
        "    print(portion.__file__)\n"
        "import schemas"
    )
    done = run([sys.executable, "-c", program], shop, PYTHONPATH=str(installed))
    files = [Path(line) for line in done.stdout.splitlines()]
    assert files == [installed / "iyu" / name / "__init__.py" for name in PORTIONS], done.stderr
    # And the shop's own folder is what its name means there.
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ImportError: the schemas of the shop"


def test_the_command_tells_the_version_of_the_package(installed: Path, shop: Path):
    done = run([installed / "bin" / "iyu", "--version"], shop, PYTHONPATH=str(installed))
    [package] = metadata.distributions(name="iyu", path=[str(installed)])
    assert (done.stdout, done.stderr) == (f"iyu {package.version}\n", "")
