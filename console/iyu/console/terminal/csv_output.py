"""CSV on standard output: exact for programs, harmless on a terminal and in a spreadsheet."""

import csv
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, Final

from iyu.console.terminal.safe_text import is_terminal, visible_cells

#: Begins a cell that a spreadsheet would compute; a leading quote makes it text.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
#: Without a byte order mark Excel reads UTF-8 in the local code page.
BYTE_ORDER_MARK: Final = "\ufeff"


def write_csv(names: Sequence[str], rows: Iterable[Any], *, for_excel: bool = False) -> None:
    """Write a heading and rows.

    To a file or program every value is exact, unless it is for Excel.
    """
    changes: list[Callable[[Iterable[object]], list[object]]] = []
    if is_terminal():
        changes.append(visible_cells)
    if for_excel:
        changes.append(disarmed_cells)
        sys.stdout.write(BYTE_ORDER_MARK)
    writer = csv.writer(sys.stdout)
    for row in chain((names,), rows):
        writer.writerow(_changed(row, changes))


def disarmed_cells(row: Iterable[object]) -> list[object]:
    """Return a row in which no text begins as a formula; figures stay figures."""
    return [
        f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
        for cell in row
    ]


def _changed(
    row: Iterable[object], changes: Iterable[Callable[[Iterable[object]], list[object]]]
) -> Iterable[object]:
    for change in changes:
        row = change(row)
    return row
