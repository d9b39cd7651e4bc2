"""A long training in stages, each left on disk, so that an interrupted one goes on."""

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
Say = Callable[[str], None]


class Stages:
    """What the stages of one training have left so far, and how long each took."""

    def __init__(self, out: Path, fingerprint: str, say: Say) -> None:
        """Go on from what an interrupted training of the same fingerprint left in `out`."""
        self._root = out / ".unfinished"
        self._folder = self._root / fingerprint
        self._folder.mkdir(parents=True, exist_ok=True)
        self._report = say
        self._log = self._folder / "log.txt"
        self._times = self._folder / "seconds.json"
        self.seconds: dict[str, float] = (
            orjson.loads(self._times.read_bytes()) if self._times.exists() else {}
        )

    @property
    def log(self) -> list[str]:
        """Every line said so far, before an interruption too."""
        return self._log.read_text().splitlines() if self._log.exists() else []

    def say(self, line: str) -> None:
        """Report a line, and keep it once: a resumed training repeats some."""
        if line not in self.log:
            with self._log.open("a") as file:
                file.write(line + "\n")
        self._report(line)

    def run(self, name: str, compute: Callable[[Say], Arrays]) -> Arrays:
        """Return what a stage gives: computed now, or read back if it was finished before."""
        path = self._folder / f"{name}.npz"
        if path.exists():
            self._report(f"{name}: done before")
            return dict(np.load(path))
        start = time.monotonic()

        def say(line: str) -> None:
            self.say(f"{name}, {(time.monotonic() - start) / 60:.1f} min: {line}")

        arrays = compute(say)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # an open file, and any names
        self.seconds[name] = round(time.monotonic() - start, 1)
        self._times.write_bytes(orjson.dumps(self.seconds))
        unfinished.replace(path)  # all of it, or none
        self.say(f"{name}: done in {self.seconds[name] / 60:.1f} minutes")
        return arrays

    def clear(self) -> None:
        """Forget everything: the training is finished."""
        shutil.rmtree(self._root)
