"""A model that fails on every review: its worker ends, and no review is buried for it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from iyu.schemas.contract.errors import IyuError
from iyu.worker.scoring import Scorer

log = logging.getLogger("iyu.worker")

#: A harmless text: scored when a process starts, and where a whole chunk fails.
WARM_UP_TEXT: Final = "준비"
#: Chunks in a row that the model fails alike, after which the worker ends.
MODEL_FAILURES: Final = 3
#: Exit code of a worker whose model fails on every review (EX_OSFILE).
MODEL_BROKEN: Final = 72


class ModelFails(IyuError):
    """The model fails on every review: no fault of the chunk."""


@dataclass(slots=True)
class ModelCheck:
    """Tells a model that fails from reviews that fail; ends the worker of such a model."""

    stop_worker: Callable[[int], None] = lambda _exit_code: None
    #: Chunks in a row that the model failed, by the errors' types.
    failures: list[str] = field(default_factory=list)

    def passed(self) -> None:
        """Note that a chunk was scored."""
        self.failures.clear()

    def failed(self, scorer: Scorer, kind: str) -> None:
        """Return if a chunk's reviews are at fault. Raises ModelFails if the model is.

        A harmless text decides which it is, or any sender could stop a worker.
        """
        try:
            scorer.score([WARM_UP_TEXT])
        except Exception as error:
            self._count(f"{kind}, {type(error).__name__}")
            raise ModelFails(f"the model fails on every review ({kind})") from None
        self.failures.clear()

    def _count(self, kinds: str) -> None:
        if self.failures and self.failures[-1] != kinds:
            self.failures.clear()
        self.failures.append(kinds)
        if len(self.failures) < MODEL_FAILURES:
            return
        log.critical(
            "the model failed on %d chunks in a row, and on a harmless text (%s): this worker "
            "ends, its chunks go back and nothing is lost; correct IYU_MODEL, memory or disk, then "
            "start it again",
            len(self.failures),
            kinds,
        )
        self.stop_worker(MODEL_BROKEN)
