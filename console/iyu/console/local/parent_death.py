"""Children that end when their parent dies, even if it was killed."""

import contextlib
import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """Have the kernel send SIGTERM when the parent dies: `preexec_fn` of Popen. Linux only."""
    if _libc is not None:
        with contextlib.suppress(AttributeError):
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
