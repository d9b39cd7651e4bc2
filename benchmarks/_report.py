"""Figures for people (a table) and for machines (`--json`)."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks._machine import describe

#: Progress goes here, so that standard output is the report alone.
progress = Console(stderr=True, highlight=False)
_out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)


def spread(values: Sequence[float]) -> str:
    """Return the range of some runs in percent of their median: how far to trust it."""
    return f"±{50 * (max(values) - min(values)) / median(values):.0f} %" if len(values) > 1 else ""


def header(title: str, **facts: object) -> dict[str, Any]:
    """Print what is measured on what machine; return it for `finish`."""
    machine = describe()
    _out.print(f"[bold]{title}[/bold]")
    packages = ", ".join(f"{name} {found}" for name, found in machine["packages"].items())
    _out.print(
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {machine['python']}, SQLite {machine['sqlite']}, "
        f"load {machine['load_1_min']}\n{packages}"
    )
    if facts:
        _out.print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items()))
    return {"benchmark": title, "machine": machine, **facts}


def table(title: str, columns: Iterable[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; its first column is text, the others are figures."""
    shown = Table(title=title, title_justify="left", title_style="bold")
    for i, column in enumerate(columns):
        shown.add_column(column, justify="right" if i else "left", no_wrap=True)
    for row in rows:
        shown.add_row(*map(str, row))
    _out.print(shown)


def note(line: str) -> None:
    """Print a line below the tables."""
    _out.print(line)


def finish(result: dict[str, Any], path: Path | None) -> None:
    """Write the result as JSON where `--json` says."""
    if path:
        path.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2))
