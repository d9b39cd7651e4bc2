"""Which libraries a model was trained with."""

from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Final

_NAMED: Final = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "konlpy", "mecab-ko")


def library_versions() -> dict[str, str]:
    """Return name and version of what shapes a model."""
    found = {"python": python_version()}
    for name in _NAMED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
