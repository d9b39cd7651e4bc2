"""Heavy libraries, imported quietly, and missing ones told in one line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def quiet_tensorflow() -> None:
    """Import TensorFlow without the lines that it writes to stderr whatever its log level.

    Raises ArtifactError where it is not installed.
    """
    from iyu.schemas.contract.errors import ArtifactError

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with _stderr_closed():
        try:
            import tensorflow  # noqa: F401
        except ImportError:
            raise ArtifactError(
                "tensorflow is not installed; this command needs: pip install 'iyu[worker]'"
            ) from None


def require_training() -> None:
    """Raise ArtifactError unless the libraries for training and evaluation are installed."""
    from importlib.util import find_spec

    from iyu.schemas.contract.errors import ArtifactError

    for library in ("sklearn", "pandas", "matplotlib"):
        if find_spec(library) is None:
            raise ArtifactError(
                f"{library} is not installed; this command needs: pip install 'iyu[train]'"
            )


@contextmanager
def _stderr_closed() -> Iterator[None]:
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
