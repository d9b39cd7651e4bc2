"""`iyu train`: labelled reviews to a model artifact."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from iyu.worker.training.data import LabelledReviews


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)


def train(
    data: Annotated[Path, typer.Argument(help="CSV, TSV, JSON Lines or Parquet with labels 0/1.")],
    out: Annotated[Path, typer.Option(help="The folder for the artifact and its curves.")],
    preset: Annotated[str, typer.Option(help="The architecture and its recipe.")] = "wide",
    text_column: Annotated[str, typer.Option(help="The column of texts.")] = "document",
    label_column: Annotated[str, typer.Option(help="The column of labels.")] = "label",
    validation: Annotated[
        Path | None, typer.Option(help="Choose on this file; else on the last tenth of DATA.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="Report on this file too, afterwards.")] = None,
    unlabelled: Annotated[
        Path | None, typer.Option(help="More texts to learn from; their labels are not read.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 1,
    student: Annotated[
        str | None,
        typer.Option(help="A trained `wide` to go on from: it learns negation and contrast alone."),
    ] = None,
    word_vectors: Annotated[
        Path | None, typer.Option(help="What words of every kind of text mean (benchmarks/).")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's.")] = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="Learn from the database's labels too.")
    ] = False,
) -> None:
    """Train a model on labelled reviews; an interrupted run goes on where it stopped."""
    from iyu.console.terminal.optional_libraries import require_training_libraries
    from iyu.console.terminal.quiet_tensorflow import import_tensorflow_quietly

    require_training_libraries()
    import_tensorflow_quietly()
    from iyu.schemas.contract.errors import SettingsError
    from iyu.worker.training.data import read_labelled
    from iyu.worker.training.recipes import Run, recipe

    chosen = recipe(preset)
    if student and preset != "wide":
        raise SettingsError("--student goes on from a model of the preset 'wide'; leave it out")
    reviews = read_labelled(data, text=text_column, label=label_column)
    if validation:
        held = read_labelled(validation, text=text_column, label=label_column)
        reviews = reviews.validated_on(held)
    tested = read_labelled(test, text=text_column, label=label_column) if test else None
    if labels:
        more = _stored_labels()
        before = len(reviews)
        reviews = reviews.trained_on_also(more, tested.texts if tested else ())
        typer.echo(f"{len(reviews) - before:,} reviews with stored labels to train on")
    typer.echo(f"{len(reviews):,} reviews from {data.name}, {reviews.rejected} rejected")
    origin = (unlabelled, text_column, _command(), student, word_vectors)
    metrics = chosen(Run(reviews, out, seed, epochs, *origin), typer.echo)
    typer.echo(f"validation: AUC {metrics.auc:.4f}, accuracy {metrics.accuracy:.4f}")
    if preset == "wide":
        from iyu.console.analysis.behaviour.measure import measure_behaviour, write_to_card
        from iyu.worker.model.artifact import load

        write_to_card(out, measure_behaviour(load(out))[0])
    if tested:
        from iyu.worker.training.evaluation import add_test_report

        found = add_test_report(out, tested)
        typer.echo(f"{tested.origin}: AUC {found.auc:.4f}, accuracy {found.accuracy:.4f}")
    typer.echo(f"the artifact is in {out}; use it with IYU_MODEL={out.absolute()}")


def _stored_labels() -> "LabelledReviews":
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.trust.labelled_texts import read_labelled_texts
    from iyu.schemas.sql.engine import reading

    with open_database(load_settings().database) as engine, reading(engine) as connection:
        return read_labelled_texts(connection)


def _command() -> str:
    return shlex.join(["iyu", *sys.argv[1:]])
