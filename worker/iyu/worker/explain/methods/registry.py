"""The attribution methods by name."""

import re
from collections.abc import Sequence
from typing import Any, Final

from iyu.schemas.contract.errors import SettingsError
from iyu.worker.explain.methods.gradcam import GradCam
from iyu.worker.explain.methods.gradient_x_input import GradientXInput
from iyu.worker.explain.methods.hirescam import HiResCam
from iyu.worker.explain.methods.integrated_gradients import IntegratedGradients
from iyu.worker.explain.methods.kernel_gradcam import KernelGradCam
from iyu.worker.explain.methods.method import Method
from iyu.worker.explain.methods.occlusion import Occlusion
from iyu.worker.explain.methods.random_control import RandomControl

DEFAULT: Final = "gradcam"
METHODS: Final[dict[str, type[Method]]] = {
    method.name: method
    for method in (
        GradCam,
        KernelGradCam,
        HiResCam,
        GradientXInput,
        IntegratedGradients,
        Occlusion,
        RandomControl,
    )
}
_SPELLING: Final = re.compile(r"(?P<name>[^@:]+)(@(?P<layer>[^@:]+))?(:(?P<target>[^@:]+))?")
#: Characters of the column `explanations.method`.
_MAX_KEY: Final = 32


def choose(names: Sequence[str]) -> tuple[Method, ...]:
    """Return methods by name, without repeats.

    A name is `method[@layer][:target]`: `gradcam`, `gradcam@conv2`, `kernel_gradcam@all:logit`.

    Raises SettingsError for one that is unknown.
    """
    methods = {method.key: method for method in map(_method, names)}
    return tuple(methods.values())


def _method(name: str) -> Method:
    parts = _SPELLING.fullmatch(name)
    kind = METHODS.get(parts["name"]) if parts else None
    if parts is None or kind is None:
        raise SettingsError(f"no explanation method {name!r}; choose among: {', '.join(METHODS)}")
    chosen: dict[str, Any] = {k: parts[k] for k in ("layer", "target") if parts[k]}
    if "layer" in chosen and not kind.has_layers:
        raise SettingsError(f"{kind.name} reads no single layer; leave @{parts['layer']} out")
    if parts["target"] and parts["target"] not in kind.targets:
        raise SettingsError(
            f"{kind.name} does not explain {parts['target']!r}; it explains: "
            f"{', '.join(kind.targets)}"
        )
    method = kind(**chosen)
    if len(method.key) > _MAX_KEY:
        raise SettingsError(f"{method.key!r} is longer than {_MAX_KEY} characters")
    return method
