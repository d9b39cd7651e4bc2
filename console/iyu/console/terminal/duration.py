"""A duration as a person writes it."""

import re
from datetime import timedelta

import typer

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> timedelta:
    """Read 10s, 5m, 2h or 1d. Raises typer.BadParameter."""
    try:
        if found := _DURATION.fullmatch(text.strip()):
            return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
    except OverflowError:
        pass
    raise typer.BadParameter(f"{text!r} is no duration; give for example 10s, 5m, 2h or 90d")
