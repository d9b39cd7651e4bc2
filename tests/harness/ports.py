"""Loopback ports that two test runs at once never share."""

import fcntl
import os
import random
import tempfile
import weakref
from pathlib import Path
from typing import Final

from iyu.console.local.embedded_redis import is_free

#: Below the range for outgoing connections: none of those can occupy a port whose server is down
#: for a moment.
PORTS: Final = range(15_000, 32_000)


def own_port(owner: object) -> int:
    """Return a free port that no other caller gets as long as `owner` lives.

    A port that is free now may be taken before it is bound, or while its server is down. So a
    locked file reserves it; the lock ends with the process, however that ends.
    """
    folder = Path(tempfile.gettempdir()) / f"iyu-test-ports-{os.geteuid()}"
    folder.mkdir(exist_ok=True)
    for port in random.sample(PORTS, len(PORTS)):
        lock = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
        if _is_ours(lock) and is_free(port):
            weakref.finalize(owner, os.close, lock)
            return port
        os.close(lock)
    raise RuntimeError("no port is free")


def _is_ours(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
