"""How far a long command is: a bar on a terminal, else a plain line every ten seconds."""

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
#: Items between two moves of the bar.
STEP: Final = 512


class ProgressBar:
    """One phase of a command on stderr; standard output stays for the result."""

    def __init__(self, verb: str, total: int | None, progress: Progress | None) -> None:
        self._verb = verb
        self._total = total
        self._progress = progress
        self._task = progress.add_task(verb, total=total, note="") if progress else None
        self._began = self._last_line = monotonic()
        self._note = ""

    def update(self, done: int, total: int | None = None) -> None:
        """Show how many reviews are done; `total` replaces the one before, where it has changed."""
        rate = done / max(monotonic() - self._began, 1e-6)
        self._total = self._total if total is None else total
        if self._progress is not None and self._task is not None:
            note = f"{rate:,.0f}/s {self._note}"
            self._progress.update(self._task, completed=done, total=self._total, note=note)
        elif monotonic() - self._last_line > LINE_EVERY:
            of = f" of {self._total:,}" if self._total is not None else ""
            self._print(f"{self._verb} {done:,}{of} ({rate:,.0f}/s) {self._note}".rstrip())
        self._note = ""

    def show_backlog(self, pending: int, seconds: float | None) -> None:
        """Show that nothing is handed over now, because `pending` reviews are ahead."""
        about = f"about {seconds:,.0f} s" if seconds is not None else "no worker moves"
        self._note = f"waiting: {pending:,} reviews are ahead ({about})"
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, note=self._note)
        elif monotonic() - self._last_line > LINE_EVERY or self._last_line == self._began:
            self._print(self._note)

    def count(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items, showing how many went by."""
        for number, item in enumerate(items):
            if number % STEP == 0:
                self.update(number)
            yield item

    def _print(self, line: str) -> None:
        self._last_line = monotonic()
        typer.echo(line, err=True)


@contextmanager
def progress_bar(verb: str, total: int | None, *, quiet: bool) -> Iterator[ProgressBar]:
    """Give the bar of one phase; plain lines where stderr is no terminal, or if `quiet`."""
    if quiet or not sys.stderr.isatty():
        yield ProgressBar(verb, total, None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield ProgressBar(verb, total, progress)
