"""`iyu models compare`: how two models differ on the reviews that both have scored."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iyu.console.terminal.options import JsonOption
from iyu.console.terminal.safe_text import visible_line

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from iyu.console.analysis.model_comparison import Comparison, Flip

#: Reviews whose words are compared: enough for intervals, quick on any database.
KEYWORD_SAMPLE = 10_000


def compare(
    a: Annotated[str, typer.Argument(help="A model version, or how the only one begins.")],
    b: Annotated[str, typer.Argument(help="Another one.")],
    labels: Annotated[
        Path | None, typer.Option(help="Measure both on this labelled file; needs --source.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only reviews of this source.")] = None,
    text_column: Annotated[str, typer.Option(help="The file's column of texts.")] = "document",
    label_column: Annotated[str, typer.Option(help="The file's column of labels.")] = "label",
    id_column: Annotated[str, typer.Option(help="The file's column of ids.")] = "id",
    method: Annotated[str, typer.Option(help="Attribution method.")] = "gradcam",
    top: Annotated[int, typer.Option(min=1, help="Words that are shown.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Compare two models on the reviews that both have scored: labels, probabilities, words.

    Both are measured on the labels of --labels, or else on those of `iyu labels import`. The
    comparison is kept for the page of `iyu web`, in place of an earlier one.
    """
    from iyu.console.terminal.optional_libraries import require_worker_libraries

    if labels and source is None:
        raise typer.BadParameter("give the source of the labelled reviews", param_hint="--source")
    require_worker_libraries(("numpy",))
    labelled = _read_labels(labels, text_column, label_column, id_column) if labels else None
    from iyu.console.analysis import model_comparison
    from iyu.console.analysis.model_registry import find_version
    from iyu.console.analysis.stored_comparison import changed_words
    from iyu.console.analysis.stored_heat import HeatFilter
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.output import print_json
    from iyu.schemas.sql.engine import reading

    with open_database(load_settings().database) as engine:
        with reading(engine) as connection:
            a, b = (find_version(connection, name) for name in (a, b))
            found = model_comparison.compare(connection, a, b, source)
            metrics = (
                model_comparison.measure_both(connection, a, b, str(source), labelled)
                if labelled
                else model_comparison.measure_on_stored_labels(connection, a, b, source)
            )
        sample = KEYWORD_SAMPLE if found.reviews > KEYWORD_SAMPLE else None
        words = changed_words(engine, (a, b), HeatFilter(method, source), sample, top)
        _keep(engine, found, method, words, source)
    if as_json:
        print_json(found.to_dict() | {"metrics": metrics, "keywords": words}, indent=True)
        return
    _print(found, metrics, words)


def _read_labels(path: Path, text: str, label: str, review_id: str) -> Any:
    from iyu.console.terminal.optional_libraries import require_training_libraries

    require_training_libraries()
    from iyu.worker.training.data import read_labelled

    return read_labelled(path, text=text, label=label, review_id=review_id)


def _keep(
    engine: "Engine",
    found: "Comparison",
    method: str,
    words: list[dict[str, Any]] | None,
    source: str | None,
) -> None:
    """Store the comparison; an account that may not write gets its answer all the same."""
    from iyu.console.analysis.stored_comparison import Words, store_comparison
    from iyu.schemas.contract.errors import DatabaseUnavailable

    try:
        store_comparison(engine, found, Words(method, words), source)
    except DatabaseUnavailable as error:
        typer.echo(f"iyu: not kept for the page: {error}", err=True)


def _print(
    found: "Comparison", metrics: dict[str, Any] | None, words: list[dict[str, Any]] | None
) -> None:
    typer.echo(f"A {found.a}, B {found.b}: {found.reviews:,} reviews scored by both")
    typer.echo(
        f"same label: {found.agreement:.2%}; mean difference of probability: "
        f"{found.mean_difference:.4f}"
    )
    _print_flips("A negative, B positive", found.to_positive, found.to_positive_examples)
    _print_flips("A positive, B negative", found.to_negative, found.to_negative_examples)
    if metrics:
        typer.echo(f"{metrics['data']}: {metrics['reviews']:,} reviews with rows of both")
        for name in metrics["a"]:
            if name != "reviews" and metrics["a"][name] is not None:
                typer.echo(f"  {name}: A {metrics['a'][name]:.4f}, B {metrics['b'][name]:.4f}")
    if words is None:
        typer.echo("words: heat by this method is not stored for both")
        return
    typer.echo("words that changed most (mean heat in units of each model's usual heat)")
    for word in words:
        typer.echo(
            f"  {visible_line(word['surface'])}/{word['pos']}: A {word['before']:+.2f}, "
            f"B {word['after']:+.2f} in {word['reviews']:,} reviews"
        )


def _print_flips(kind: str, count: int, examples: "Sequence[Flip]") -> None:
    typer.echo(f"{kind}: {count:,}")
    for flip in examples:
        text = " ".join(flip.text[:80].split())
        key = f"{flip.source}/{flip.review_id}"
        typer.echo(visible_line(f"  {flip.a:.3f} → {flip.b:.3f}  {key}: {text}"))
