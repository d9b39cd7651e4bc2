"""Compiled passes kept on disk: a worker's second start need not compile them again.

XLA writes and reads the files (`--tf_xla_persistent_cache_directory`). They hold machine code, so
the folder belongs to this user alone and to one TensorFlow on one kind of processor; and XLA raises
on a damaged one, so each must have the checksum that a finished start wrote down.
"""

import hashlib
import json
import logging
import os
import shutil
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

log = logging.getLogger("iyu.worker")

FLAGS: Final = "TF_XLA_FLAGS"
_OPTION: Final = "--tf_xla_persistent_cache_directory"
_CHECKSUMS: Final = "checksums.json"
_ENTRIES: Final = "*.pb"

#: Bytes that have to be free: a full disk would fail the compilation itself.
ROOM: Final = 64 * 2**20


def default_folder() -> Path | None:
    """The user's cache folder; None where the user has no home."""
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "iyu" / "compiled"
    with suppress(RuntimeError):
        return Path.home() / ".cache" / "iyu" / "compiled"
    return None


def enable(base: Path | None) -> Path | None:
    """Let XLA keep what it compiles below `base`; call it before TensorFlow is imported.

    Returns the folder; None where there cannot be one, which costs time and nothing else.
    """
    if base is None or _OPTION in os.environ.get(FLAGS, "") or not (kind := _kind()):
        return None
    folder = base / kind
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours_alone(folder) or shutil.disk_usage(folder).free < ROOM:
            return None
        _drop_unchecked(folder)
    except (OSError, ValueError):
        return None
    os.environ[FLAGS] = f"{os.environ.get(FLAGS, '')} {_OPTION}={folder}".strip()
    return folder


def seal(folder: Path) -> None:
    """Write down the checksums of what is there: everything compiled, and ran."""
    with suppress(OSError):
        sums = {file.name: _checksum(file) for file in folder.glob(_ENTRIES)}
        if sums == _checksums(folder):
            return
        draft = folder / f"{_CHECKSUMS}.{os.getpid()}"
        draft.write_text(json.dumps(sums), "utf-8")
        draft.replace(folder / _CHECKSUMS)


def clear(folder: Path) -> None:
    """Remove what is there, so that the next pass is compiled anew."""
    with suppress(OSError):
        for file in folder.iterdir():
            file.unlink(missing_ok=True)


def _kind() -> str | None:
    """A name for this TensorFlow on this kind of processor; None where they cannot be told."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return None
    known = sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
    built = _tensorflow()
    if not known or not built:
        return None
    text = "\n".join([built, os.uname().machine, *known])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _tensorflow() -> str | None:
    for package in ("tensorflow-cpu", "tensorflow"):
        with suppress(PackageNotFoundError):
            return f"{package} {version(package)}"
    return None


def _is_ours_alone(folder: Path) -> bool:
    """Whether nobody else can put machine code there."""
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


def _drop_unchecked(folder: Path) -> None:
    """Remove what no finished start wrote down, and what has changed since."""
    sums = _checksums(folder)
    for file in folder.glob(_ENTRIES):
        if sums.get(file.name) != _checksum(file):
            file.unlink(missing_ok=True)


def _checksums(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / _CHECKSUMS).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _checksum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
