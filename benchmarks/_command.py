"""A benchmark as a command that leaves nothing behind, however it is ended."""

import signal
import sys
from collections.abc import Callable
from typing import Any

import typer


def run(main: Callable[..., Any]) -> None:
    """Run a benchmark's `main`; SIGTERM ends it as Ctrl-C does, services included."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(main)
    app()
