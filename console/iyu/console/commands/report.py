"""`iyu report`: what the reviews of a period say, as one file that can be mailed."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

#: Seconds a question of a report may take: nobody waits before a page for it.
QUESTION_SECONDS = 300.0


class InLanguage(StrEnum):
    """The language of a report."""

    ENGLISH = "en"
    KOREAN = "ko"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    out: Annotated[Path, typer.Argument(metavar="OUT.html", help="The file to write.")],
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day (UTC).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day (UTC), included.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    method: Annotated[str | None, typer.Option(help="Whose heat; default: gradcam.")] = None,
    language: Annotated[InLanguage, typer.Option(help="Its language.")] = InLanguage.ENGLISH,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="Instead of IYU_DATABASE_URL.")
    ] = None,
) -> None:
    """Write a period's reviews, words, trends, examples and model into one HTML file.

    Without days: the seven days up to the newest review. The file loads nothing from anywhere.
    """
    from iyu.console.terminal.optional_libraries import require_web_libraries

    require_web_libraries()
    from iyu.console.local.env_file import load_settings
    from iyu.console.web.filters import Filters
    from iyu.console.web.pages.page import opened_site
    from iyu.console.web.report import make_report
    from iyu.schemas.contract.errors import InputError

    filters = Filters(
        source=source,
        since=since.date() if since else None,
        until=until.date() if until else None,
        method=method,
    )
    with opened_site(load_settings(database_url=database), QUESTION_SECONDS) as site:
        html = make_report(site, filters, language.value)
    try:
        out.write_text(html, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error.strerror}); name another file") from None
    typer.echo(f"{out}: {len(html.encode()) / 1024:,.0f} KiB", err=True)
