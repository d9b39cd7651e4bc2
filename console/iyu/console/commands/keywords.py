"""`iyu keywords`: the words that decide, over many stored reviews."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from iyu.console.analysis.keyword_order import Order
from iyu.console.terminal.options import DatabaseOption, JsonOption, SinceOption, UntilOption


class By(StrEnum):
    """What `--by` compares."""

    MODEL = "model"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(keywords)


def keywords(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    method: Annotated[str, typer.Option(help="Attribution method.")] = "gradcam",
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
        int | None,
        typer.Option(
            help="Reviews that must hold a word.", show_default="a thousandth, at least 5"
        ),
    ] = None,
    function_words: Annotated[
        bool, typer.Option("--function-words", help="Particles, endings, punctuation as well.")
    ] = False,
    by: Annotated[By | None, typer.Option(help="Compare two models on the same reviews.")] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="A model version; twice with --by model.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw both lists to this PNG file.")] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the words that decide for positive and for negative, from the stored heat.

    With 95 % bootstrap intervals; only words that are surely on one side. Particles (J*), endings
    (E*) and punctuation (S*) are left out; negations and content words never are.
    """
    from iyu.console.terminal.optional_libraries import require_worker_libraries

    require_worker_libraries(("numpy",))
    from rich.console import Console

    from iyu.console.analysis.keyword_report import KeywordOptions, keyword_report
    from iyu.console.analysis.keyword_tables import keyword_tables
    from iyu.console.analysis.stored_heat import HeatFilter
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.output import print_json

    options = KeywordOptions(
        sample=None if everything else sample,
        seed=seed,
        top=top,
        min_reviews=min_reviews,
        function_words=function_words,
        by_model=by is By.MODEL,
        order=order,
    )
    with open_database(load_settings(database_url=database).database) as engine:
        chosen = HeatFilter(method, source, since, until)
        report = keyword_report(engine, chosen, options, model or [])
    if plot:
        from iyu.console.analysis.keyword_plot import plot_keywords

        plot_keywords(report.positive, report.negative, plot, title=report.title, order=order)
    if as_json:
        print_json(report.to_dict(), indent=True)
        return
    console = Console()
    console.print(keyword_tables(report, console.width))
