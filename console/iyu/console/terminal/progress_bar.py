"""What `iyu submit` shows while it works: a bar on a terminal, else a plain line now and then."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")

#: Seconds between two plain lines.
LINE_EVERY: Final = 10.0
#: Rows between two moves of the bar.
STEP: Final = 512


class Teller:
    """Tells on stderr how far one phase is; standard output stays for the result."""

    def __init__(self, verb: str, total: int | None, progress: Progress | None) -> None:
        self._verb = verb
        self._total = total
        self._progress = progress
        self._task = progress.add_task(verb, total=total, note="") if progress else None
        self._began = self._told = monotonic()
        self._note = ""

    def at(self, done: int) -> None:
        """Tell how many reviews are done."""
        rate = done / max(monotonic() - self._began, 1e-6)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, note=f"{rate:,.0f}/s {self._note}")
        elif monotonic() - self._told > LINE_EVERY:
            self._told = monotonic()
            of = f" of {self._total:,}" if self._total is not None else ""
            typer.echo(f"{self._verb} {done:,}{of} ({rate:,.0f}/s) {self._note}".rstrip(), err=True)
        self._note = ""

    def waits(self, pending: int, seconds: float | None) -> None:
        """Tell that nothing goes in now, and why."""
        about = f"about {seconds:,.0f} s" if seconds is not None else "no worker moves"
        self._note = f"waiting: {pending:,} reviews are ahead ({about})"
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, note=self._note)
        elif monotonic() - self._told > LINE_EVERY or self._told == self._began:
            self._told = monotonic()
            typer.echo(self._note, err=True)

    def over(self, items: Iterable[Item]) -> Iterator[Item]:
        """Give the items on, telling how many went by."""
        for number, item in enumerate(items):
            if number % STEP == 0:
                self.at(number)
            yield item


@contextmanager
def teller(verb: str, total: int | None, *, quiet: bool) -> Iterator[Teller]:
    """Give a Teller for one phase, with a bar if somebody watches."""
    if quiet or not sys.stderr.isatty():
        yield Teller(verb, total, None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Teller(verb, total, progress)
