"""The attribution methods by name."""

from collections.abc import Sequence
from typing import Final

from schemas.errors import SettingsError
from worker.explain.gradcam import GradCam
from worker.explain.kernel_gradcam import KernelGradCam
from worker.explain.method import Method

DEFAULT: Final = "gradcam"
METHODS: dict[str, Method] = {m.name: m for m in (GradCam(), KernelGradCam())}


def choose(names: Sequence[str]) -> tuple[Method, ...]:
    """Return methods by name, without repeats.

    Raises SettingsError for an unknown name.
    """
    unknown = [name for name in names if name not in METHODS]
    if unknown:
        raise SettingsError(
            f"no explanation method {unknown[0]!r}; choose among: {', '.join(METHODS)}"
        )
    return tuple(METHODS[name] for name in dict.fromkeys(names))
