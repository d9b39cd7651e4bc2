"""What every attribution method offers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final

from iyu.schemas.contract.errors import SettingsError
from iyu.worker.explain.trace import Trace
from iyu.worker.model.network import Network, Tensor

LOGIT: Final = "logit"
PROBABILITY: Final = "probability"
#: Every convolution of a network, instead of one by name.
ALL: Final = "all"
#: How the branch beside the convolutions is called where layers are named.
WIDE: Final = "wide"


@dataclass(frozen=True)
class Method(ABC):
    """An attribution method: signed evidence per token, positive toward the positive class."""

    layer: str | None = None  # a convolution's name, "all", or None: as the method is defined
    target: str = LOGIT  # what is explained

    name: ClassVar[str]
    default_layer: ClassVar[str] = ALL  # "first": the network's first convolution
    targets: ClassVar[tuple[str, ...]] = (LOGIT,)  # the default first
    #: Whether it reads convolutions, so that one can be chosen.
    has_layers: ClassVar[bool] = True
    #: Whether the heat of a review stays the same with fewer columns of padding.
    any_width: ClassVar[bool] = False
    #: Whether the heat should sum to z(x) − z(padding alone).
    is_complete: ClassVar[bool] = False
    #: Whether the branch beside the convolutions is yet to be added.
    needs_wide: ClassVar[bool] = True

    @abstractmethod
    def heat(self, network: Network, trace: Trace) -> Tensor:
        """Return what the convolutions say: (batch, tokens) float32, padding included."""

    @property
    def key(self) -> str:
        """The name it is chosen and stored by: `name[@layer][:target]`."""
        layer = f"@{self.layer}" if self.layer else ""
        target = f":{self.target}" if self.target != self.targets[0] else ""
        return f"{self.name}{layer}{target}"

    def attribute(self, network: Network, trace: Trace) -> Tensor:
        """Return heat: (batch, tokens) float32, padding included."""
        heat = self.heat(network, trace)
        if not self._adds_wide(network):
            return heat
        wide = network.wide(trace.inputs)
        return heat + (trace.slope * wide if self.target == PROBABILITY else wide)

    def selected(self, network: Network) -> list[int]:
        """Return which convolutions are read.

        Raises SettingsError if the network has none of that name.
        """
        wanted = self.layer or self.default_layer
        names = [convolution.name for convolution in network.convolutions]
        if wanted == ALL:
            return list(range(len(names)))
        if wanted == "first":
            return [0]
        if wanted not in names:
            raise SettingsError(
                f"{self.key}: the model has no layer {wanted!r}; choose {ALL} or one of: "
                f"{', '.join(names)}"
            )
        return [names.index(wanted)]

    def layers(self, network: Network) -> str:
        """Name the layers that are read, joined by +."""
        read = [network.convolutions[i].name for i in self.selected(network)]
        return "+".join([*read, WIDE] if self._adds_wide(network) else read)

    def _adds_wide(self, network: Network) -> bool:
        everything = (self.layer or self.default_layer) == ALL
        return network.has_wide and self.needs_wide and everything
