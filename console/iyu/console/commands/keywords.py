"""`iyu keywords`: the words that decide, over many stored reviews."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from iyu.console.analysis.keyword_changes import Change
    from iyu.console.analysis.keyword_ranking import Keyword
    from iyu.console.analysis.keyword_report import Report

#: Characters of a terminal that the word and its figures take.
_FIGURES_WIDTH = 66


class By(StrEnum):
    """What is compared."""

    MODEL = "model"


class Order(StrEnum):
    """By which figure words are ranked: `keyword_ranking.Order`, without NumPy for --help."""

    SHARE = "share"
    MEAN = "mean"
    TOTAL = "total"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(keywords)


def keywords(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Submitted then or later (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Submitted before (UTC).")] = None,
    method: Annotated[str, typer.Option(help="Whose heat.")] = "gradcam",
    sample: Annotated[
        int, typer.Option(min=2, help="Reviews drawn at random, half of each predicted label.")
    ] = 10_000,
    everything: Annotated[bool, typer.Option("--all", help="All reviews, no sample.")] = False,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    top: Annotated[int, typer.Option(min=1, help="Words a list.")] = 20,
    order: Annotated[
        Order, typer.Option(help="Rank by share of the review's heat, mean heat or total heat.")
    ] = Order.SHARE,
    min_reviews: Annotated[
        int | None, typer.Option(help="That must hold a word; a thousandth, at least 5.")
    ] = None,
    function_words: Annotated[
        bool, typer.Option("--function-words", help="Particles, endings, punctuation as well.")
    ] = False,
    by: Annotated[By | None, typer.Option(help="Compare two models on the same reviews.")] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="A model version; twice with --by model.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw both lists to this PNG file.")] = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="Instead of IYU_DATABASE_URL.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List the words that decide for positive and for negative, from the stored heat.

    With 95 % bootstrap intervals; only words that are surely on one side. Particles (J*), endings
    (E*) and punctuation (S*) are left out; negations and content words never are.
    """
    from iyu.console.analysis.keyword_ranking import Order as ByFigure
    from iyu.console.analysis.keyword_report import Wanted, report
    from iyu.console.analysis.stored_heat import Question
    from iyu.console.local.env_file import load_settings
    from iyu.schemas.sql.engine import check, connect

    engine = connect(load_settings(database_url=database).database)
    question = Question(method, source, _utc(since), _utc(until))
    wanted = Wanted(
        None if everything else sample,
        seed,
        top,
        min_reviews,
        function_words,
        by is By.MODEL,
        ByFigure(order.value),
    )
    try:
        check(engine)
        found = report(engine, question, wanted, model or [])
    finally:
        engine.dispose()
    if plot:
        from iyu.console.analysis.keyword_plot import plot as draw

        draw(found.positive, found.negative, plot, title=found.title, order=wanted.order)
    if as_json:
        _print_json(found)
    else:
        _print(found)


def _utc(moment: datetime | None) -> datetime | None:
    from datetime import UTC

    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _print_json(found: "Report") -> None:
    import orjson

    typer.echo(orjson.dumps(found.to_dict(), option=orjson.OPT_INDENT_2).decode())


def _print(found: "Report") -> None:
    from rich.console import Console

    console = Console()
    console.print(found.title)
    if found.changes is not None:
        console.print(_changes(found.changes))
        return
    width = max(console.width - _FIGURES_WIDTH, 12)
    console.print(_words("pull up", found.positive, found.texts, width))
    console.print(_words("pull down", found.negative, found.texts, width))


def _words(title: str, words: "Sequence[Keyword]", texts: dict[Any, str], width: int) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for name in ("word", "tag"):
        table.add_column(name, no_wrap=True)
    for name in ("reviews", "share", "mean heat", "total"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("for example", no_wrap=True, overflow="ellipsis", max_width=width)
    for word in words:
        half = (word.high - word.low) / 2
        table.add_row(
            Text(word.surface),
            word.pos,
            f"{word.reviews:,}",
            f"{word.share:+.0%}",
            f"{word.mean_heat:+.3f} ±{half:.3f}",
            f"{word.total_heat:+,.0f}",
            Text(_excerpt(texts[word.examples[0]], word.surface)),
        )
    return table


def _excerpt(text: str, surface: str) -> str:
    """Return the text from shortly before a word on."""
    start = max(text.find(surface) - 8, 0)
    return ("…" if start else "") + " ".join(text[start : start + 60].split())


def _changes(changes: "Sequence[Change]") -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("word", "tag", "reviews", "before", "after", "change", "95 % interval"):
        table.add_column(name, justify="left" if name in {"word", "tag"} else "right")
    for change in changes:
        figures = (change.before, change.after, change.difference)
        table.add_row(
            Text(change.surface),
            change.pos,
            f"{change.reviews:,}",
            *(f"{figure:+.2f}" for figure in figures),
            f"{change.low:+.2f} … {change.high:+.2f}",
        )
    return table
