"""Adam with few parts, weights averaged over steps, and batches made ahead."""

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import numpy as np

from iyu.worker.model.network import Tensor

T = TypeVar("T")

#: Decay of the second moment: lower than usual, for trainings of one or two thousand steps.
_SECOND: Final = 0.99
_FIRST: Final = 0.9
#: Batches made ahead while TensorFlow works on one.
_AHEAD: Final = 8


class Adam:
    """Adam on plain variables. Source: Kingma and Ba 2015, Adam, algorithm 1."""

    def __init__(self, variables: Sequence[Any], rates: Sequence[float] | None = None) -> None:
        """rates: how fast each variable learns, in parts of the rate."""
        import tensorflow as tf

        self._variables = variables
        self._rates = rates or [1.0] * len(variables)
        self._moments = [
            (tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v))) for v in variables
        ]

    def apply(self, gradients: Sequence[Tensor], rate: Tensor, step: Tensor) -> None:
        """Move the variables; step counts from 1."""
        import tensorflow as tf

        for variable, own, gradient, (first, second) in zip(
            self._variables, self._rates, gradients, self._moments, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=_FIRST**step,
                beta2_power=_SECOND**step,
                lr=own * rate,
                beta1=_FIRST,
                beta2=_SECOND,
                epsilon=1e-7,
                grad=tf.convert_to_tensor(gradient),
            )


class Averaged:
    """An exponential average of variables over the last steps.

    Source: Polyak and Juditsky 1992, Acceleration of Stochastic Approximation by Averaging.
    """

    def __init__(self, variables: Sequence[Any], share: float = 0.03) -> None:
        import tensorflow as tf

        self._variables = variables
        self._means = [tf.Variable(variable) for variable in variables]
        self._share = share
        self.update = tf.function(self._update)

    def take(self) -> None:
        """Put the averages into the variables; the training is over."""
        for variable, mean in zip(self._variables, self._means, strict=True):
            variable.assign(mean)

    def _update(self) -> None:
        for variable, mean in zip(self._variables, self._means, strict=True):
            mean.assign_sub(self._share * (mean - variable))


def cosine(step: int, steps: int, warm_up: int = 100) -> float:
    """Return the learning rate's factor at a step: up in a line, down in half a cosine."""
    falling = 0.5 + 0.5 * float(np.cos(np.pi * step / steps))
    return min(1.0, step / warm_up) * max(0.02, falling)


def ahead(items: Iterable[T]) -> Iterator[T]:
    """Return the items, made in a thread while the caller is busy with those before."""
    waiting: queue.Queue[T | BaseException | None] = queue.Queue(_AHEAD)

    def fill() -> None:
        try:
            for item in items:
                waiting.put(item)
            waiting.put(None)
        except BaseException as error:  # raised again where it can be seen
            waiting.put(error)

    threading.Thread(target=fill, daemon=True).start()
    while (item := waiting.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item
