"""TensorFlow imported without its messages."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def import_tensorflow_quietly() -> None:
    """Import TensorFlow without the lines that it writes to stderr whatever its log level.

    Raises ArtifactError where a library of the worker is missing.
    """
    from iyu.console.terminal.optional_libraries import require_worker_libraries

    require_worker_libraries()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with _stderr_closed():
        import tensorflow  # noqa: F401


@contextmanager
def _stderr_closed() -> Iterator[None]:
    # By its descriptor: TensorFlow writes from C++.
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
