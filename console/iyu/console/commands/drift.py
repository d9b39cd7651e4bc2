"""`iyu drift`: whether the latest days are like those before."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from iyu.console.exit_codes import CHECK_FAILED
from iyu.console.terminal.options import DatabaseOption, JsonOption
from iyu.console.terminal.safe_text import visible_line

if TYPE_CHECKING:
    from iyu.console.trust.drift.run import Report

#: Figures as people read them; a share is shown in percent.
_TITLES: Final = {
    "estimated_accuracy": "est. accuracy",
    "estimated_auc": "est. AUC",
    "negative_share": "negatives",
    "unknown_share": "unknown tokens",
    "truncated_share": "truncated",
    "length": "tokens a review",
    "word_order": "word order",
    "word_shares": "furthest word",
}
_IN_PERCENT: Final = frozenset(
    ("estimated_accuracy", "negative_share", "unknown_share", "truncated_share")
)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; give for example 2026-05-01") from None


def _day_option(name: str, text: str) -> Any:
    return typer.Option(name, metavar="DAY", parser=_day, help=text)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(drift)


def drift(
    days: Annotated[int, typer.Option(min=3, max=3650, help="Days of the window.")] = 7,
    reference: Annotated[
        int, typer.Option(min=14, max=3650, help="Days of the reference, just before the window.")
    ] = 28,
    source: Annotated[
        str | None, typer.Option(help="Only this source; else all sources together.")
    ] = None,
    since: Annotated[
        date | None, _day_option("--since", "First day of the window (UTC), instead of --days.")
    ] = None,
    until: Annotated[
        date | None,
        _day_option("--until", "The day after its last; else the last whole day is in it."),
    ] = None,
    reference_source: Annotated[
        str | None, typer.Option(help="Compare with another source.", show_default="the same")
    ] = None,
    reference_since: Annotated[
        date | None, _day_option("--reference-since", "First day of the reference.")
    ] = None,
    reference_until: Annotated[
        date | None, _day_option("--reference-until", "The day after its last.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Scores of this model version, or how it begins.", show_default="shown"),
    ] = None,
    method: Annotated[str, typer.Option(help="Attribution method.")] = "gradcam",
    top: Annotated[int, typer.Option(min=0, max=100, help="Words that are looked at.")] = 10,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Compare the reviews of a window of days with those of reference days.

    What counts as a change comes from how much the days differ by themselves. Exit code 4 where
    the estimated accuracy fell; the other figures and the words say where to look.
    """
    from iyu.console.terminal.optional_libraries import require_worker_libraries

    require_worker_libraries(("numpy",))
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.output import print_json
    from iyu.console.trust.drift.run import find_drift
    from iyu.console.trust.drift.sides import Wanted

    settings = load_settings(database_url=database)
    wanted = Wanted(
        days, reference, since, until, reference_since, reference_until, source, reference_source
    )
    with open_database(settings.database) as engine:
        report = find_drift(engine, (_version(engine, model), method), wanted, top)
    if as_json:
        print_json(report.to_dict(), indent=True)
    else:
        _print(report)
    if report.is_alarm:
        raise typer.Exit(CHECK_FAILED)


def _version(engine: Any, model: str | None) -> str:
    from iyu.console.analysis.model_registry import find_version
    from iyu.console.trust.unknown_words import shown_model
    from iyu.schemas.contract.errors import InputError
    from iyu.schemas.sql.engine import reading

    with reading(engine) as connection:
        version = find_version(connection, model) if model else shown_model(connection)
    if version is None:
        raise InputError("no model has scored yet; submit reviews first")
    return version


def _print(report: "Report") -> None:
    from rich.console import Console

    from iyu.console.terminal.output import make_table

    for name, side in report.scope().items():
        of = f" of {side['source']}" if side["source"] else ""
        line = f"{name}: {side['since']} to before {side['until']}{of}: "
        typer.echo(visible_line(line + f"{side['reviews']:,} reviews on {side['days']} days"))
    columns = ("figure", "reference", "window", "change (99 %)", "by chance", "")
    rows = [_row(name, figure) for name, figure in report.to_dict()["figures"].items()]
    Console().print(make_table(columns, rows, right=columns[1:5]))
    _print_words(report)
    if report.is_alarm:
        typer.echo(
            "alarm: the estimated accuracy fell; label some reviews of the window "
            "(iyu labels import) and measure: iyu labels quality"
        )
    elif not report.noticed:
        typer.echo("no figure changed more than chance explains")


def _row(name: str, figure: dict[str, Any]) -> list[str]:
    percent = name in _IN_PERCENT
    scale = 100 if percent else 1
    form = ".2f" if percent or name in {"length", "word_shares"} else ".4f"
    unit = " %" if percent else ""
    low, high = figure["low"], figure["high"]
    between = "" if low is None else f"{low * scale:+{form}} … {high * scale:+{form}}"
    chance = f"± {figure['limit'] * scale:{form}}"
    if name == "word_order":
        chance = f"≥ {1 - figure['limit']:{form}}"
    elif name == "word_shares":
        chance = f"≤ {figure['limit']:{form}}"
    elif name.startswith("estimated"):
        chance = f"≥ -{figure['limit'] * scale:{form}}"
    noticed = ("higher" if figure["change"] > 0 else "lower") if figure["noticed"] else ""
    return [
        _TITLES[name],
        ""
        if name in {"word_order", "word_shares"}
        else f"{figure['reference'] * scale:{form}}{unit}",
        f"{figure['window'] * scale:{form}}{unit}",
        between,
        chance,
        noticed,
    ]


def _print_words(report: "Report") -> None:
    moved = [word for word in report.moved if word.noticed]
    if not moved:
        typer.echo("no word moved more than chance explains")
        return
    typer.echo("words that moved most (share of reviews, mean heat of a review that holds it):")
    for word in moved:
        shares = f"{100 * word.reference_share:.2f} % → {100 * word.window_share:.2f} %"
        heats = " → ".join(
            "–" if heat is None else f"{heat:+.2f}"
            for heat in (word.reference_heat, word.window_heat)
        )
        typer.echo(visible_line(f"{word.surface}/{word.pos}: {shares}, {heats}"))
        for review in word.examples:
            text = " ".join(review["text"][:80].split())
            typer.echo(visible_line(f"  {review['source']}/{review['review_id']}: {text}"))
