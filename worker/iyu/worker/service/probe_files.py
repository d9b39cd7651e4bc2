"""Files that probes read without starting Python: alive by its age, ready by its being there."""

import logging
import os
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("iyu.worker")


def ready_file(heartbeat: Path) -> Path:
    """Return the file that is there once every process of a worker has its model."""
    return _beside(heartbeat, ".ready")


def beat_file(heartbeat: Path) -> Path:
    """Return the file that beat touches whenever it looks at its schedule."""
    return _beside(heartbeat, ".beat")


def touch(file: Path) -> None:
    """Make a file new; where that fails, say so and go on."""
    try:
        # Not through a link: in a shared temporary folder anybody may put one under this name.
        opened = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
        try:
            os.utime(opened)
        finally:
            os.close(opened)
    except OSError as error:
        log.warning("the heartbeat file %s cannot be written: %s", file, error.strerror)


def remove(file: Path) -> None:
    """Remove what a process before this one has left."""
    if file != Path(os.devnull):
        with suppress(OSError):
            file.unlink()


def _beside(heartbeat: Path, suffix: str) -> Path:
    # Who wants no heartbeat wants no other file either.
    return heartbeat if heartbeat == Path(os.devnull) else heartbeat.with_suffix(suffix)
