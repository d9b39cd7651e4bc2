"""`iyu words --unknown`: what the next training needs."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from iyu.console.terminal.options import DatabaseOption, JsonOption
from iyu.console.terminal.safe_text import visible_line

if TYPE_CHECKING:
    from pathlib import Path

    from iyu.console.trust.unknown_words import UnknownWord


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(words)


def words(
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Words that the model's vocabulary does not know.")
    ] = False,
    weeks: Annotated[int, typer.Option(min=2, max=520, help="Of the reviews, the latest.")] = 8,
    least: Annotated[
        int, typer.Option("--min-reviews", min=1, help="Reviews that must hold a word.")
    ] = 5,
    top: Annotated[int, typer.Option(min=1, help="Words that are shown.")] = 20,
    method: Annotated[str, typer.Option(help="Attribution method.")] = "gradcam",
    artifact: Annotated[
        list[str] | None,
        typer.Option(help="A folder with the model of the rows, beside IYU_MODEL; repeatable."),
    ] = None,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """List words that many reviews hold and the model does not know, with examples and trend.

    trend: share of reviews with the word in the later half of the weeks, over the earlier half.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.optional_libraries import require_worker_libraries
    from iyu.console.terminal.output import print_json

    if not unknown:
        raise typer.BadParameter("give it; iyu keywords has words by heat", param_hint="--unknown")
    require_worker_libraries(("numpy",))
    from iyu.console.trust.unknown_words import Wanted, find_unknown_words, read_vocabulary
    from iyu.console.trust.unknown_words import shown_model as find_shown_model
    from iyu.schemas.sql.engine import reading
    from iyu.worker.settings import WorkerSettings

    settings = load_settings(WorkerSettings, database_url=database)
    with open_database(settings.database) as engine, reading(engine) as connection:
        version = find_shown_model(connection)
        folder = _folder_of(version, [*(artifact or ()), settings.model])
        vocabulary = read_vocabulary(folder)
        wanted = Wanted(method, weeks, least, top)
        found = find_unknown_words(connection, str(version), vocabulary, wanted)
    if as_json:
        rows = [asdict(word) for word in found]
        print_json({"model_version": version, "vocabulary": len(vocabulary), "words": rows})
        return
    _print(found, least)


def _folder_of(version: str | None, artifacts: list[str]) -> "Path":
    from iyu.console.trust.find_artifact import find_artifact
    from iyu.schemas.contract.errors import ArtifactError, InputError

    if version is None:
        raise InputError("no model has scored yet; submit reviews first")
    if (folder := find_artifact(version, artifacts)) is None:
        raise ArtifactError(
            f"the artifact of model {version} is not here; give its folder: --artifact DIR"
        )
    return folder


def _print(found: "list[UnknownWord]", least: int) -> None:
    if not found:
        typer.echo(f"no word that the model does not know is in {least:,} reviews or more")
        return
    for word in found:
        trend = "new" if word.trend is None else f"× {word.trend:.1f}"
        weeks = " ".join(map(str, word.weeks))
        typer.echo(
            visible_line(f"{word.surface}/{word.pos}: {word.reviews:,} reviews, {trend} ({weeks})")
        )
        for review in word.examples:
            text = " ".join(review["text"][:80].split())
            typer.echo(visible_line(f"  {review['source']}/{review['review_id']}: {text}"))
