"""Options that several commands have, each with one form and one help text."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

DatabaseOption = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="Instead of IYU_DATABASE_URL.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


def parse_utc_time(text: str) -> datetime:
    """Read a date or a time in ISO 8601; one without an offset is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no time; give for example 2026-05-01 or 2026-05-01T18:00:00+09:00"
        ) from None


def _time_option(name: str, help_text: str) -> Any:
    return typer.Option(name, metavar="TIME", parser=parse_utc_time, help=help_text)


SinceOption = Annotated[
    datetime | None,
    _time_option("--since", "Written then or later (UTC); where that is unknown, submitted."),
]
UntilOption = Annotated[datetime | None, _time_option("--until", "Written before, likewise.")]
SubmittedSinceOption = Annotated[
    datetime | None, _time_option("--since", "Submitted then or later (UTC).")
]
SubmittedUntilOption = Annotated[
    datetime | None, _time_option("--until", "Submitted before (UTC).")
]
