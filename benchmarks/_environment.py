"""The pinned environment of the one way that cannot run in ours."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
PINS: Final = HERE / "celery-batches.txt"
FOLDER: Final = HERE / ".celery-batches"


def pinned_python() -> Path:
    """Return the interpreter of the pinned environment, which is made if need be.

    Raises RuntimeError with pip's last line if it cannot be made.
    """
    python = FOLDER / "bin" / "python"
    done = FOLDER / "pins.txt"
    if not done.exists() or done.read_text() != PINS.read_text():
        venv.create(FOLDER, with_pip=True, clear=True)
        _install(python)
        _lend_ours()
        done.write_text(PINS.read_text())
    return python


def _install(python: Path) -> None:
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        str(PINS),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise RuntimeError(f"the environment of celery-batches cannot be installed: {last}")


def _lend_ours() -> None:
    # What a .pth file adds comes after the environment's own packages: what is pinned wins, and
    # TensorFlow need not be installed a second time. addsitedir, for iyu itself is editable.
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = FOLDER / "lib" / version / "site-packages"
    ours = sysconfig.get_path("purelib")
    (packages / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
