"""`iyu models`: which there are, which one the views show, and how two differ."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from iyu.console.analysis.model_comparison import Comparison, Flip
    from iyu.console.analysis.stored_heat import Question

#: Reviews whose words are compared: enough for intervals, quick on any database.
KEYWORD_SAMPLE = 10_000

AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
Version = Annotated[str, typer.Argument(help="A model version, or how the only one begins.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="models")


group = typer.Typer(help="The models that have scored: list, show, use, compare.")
group.info.no_args_is_help = True


@group.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the models, the one that the views show first."""
    from iyu.console.analysis.model_registry import find_all
    from iyu.schemas.sql.engine import reading

    with _database() as engine, reading(engine) as connection:
        found = [model.summary() for model in find_all(connection)]
    if as_json:
        _print_json(found)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*("", "version", "preset", "created", "activated", "reviews", "test AUC"),
                  box=None, pad_edge=False)  # fmt: skip
    for model in found:
        auc, activated = model["test_auc"], model["activated_at"]
        table.add_row(
            "*" if model["current"] else "",
            model["model_version"],
            model["preset"],
            model["created_at"][:19],
            activated[:19] if activated else "never",
            f"{model['reviews']:,}",
            "-" if auc is None else f"{auc:.4f}",
        )
    Console().print(table if found else "no model has scored yet")


@group.command()
def show(version: Version, as_json: AsJson = False) -> None:
    """Show a model's manifest: data, training, metrics, libraries."""
    from iyu.console.analysis.model_registry import find_one
    from iyu.schemas.sql.engine import reading

    with _database() as engine, reading(engine) as connection:
        model = find_one(connection, version)
    whole = model.summary() | {"manifest": dict(model.manifest)}
    if as_json:
        _print_json(whole)
        return
    for line in _readable(whole):
        typer.echo(line)


@group.command()
def use(version: Version, as_json: AsJson = False) -> None:
    """Let the views show this model wherever it has scored; all other rows stay.

    What workers score with is IYU_MODEL, and is not changed by this.
    """
    from iyu.console.analysis.model_registry import activate
    from iyu.schemas.sql.engine import writing

    with _database() as engine, writing(engine) as connection:
        model = activate(connection, version)
    if as_json:
        _print_json(model.summary())
        return
    typer.echo(
        f"the views show {model.model_version} ({model.preset}) for the {model.reviews:,} reviews "
        "it has scored, and the model before for others"
    )


@group.command()
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
    method: Annotated[str, typer.Option(help="Whose heat the words are compared by.")] = "gradcam",
    top: Annotated[int, typer.Option(min=1, help="Words that are shown.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Compare two models on the reviews that both have scored: labels, probabilities, words."""
    if labels and source is None:
        raise typer.BadParameter("give the source of the labelled reviews", param_hint="--source")
    labelled = _read_labels(labels, text_column, label_column, id_column) if labels else None
    from iyu.console.analysis import model_comparison
    from iyu.console.analysis.model_registry import find_one
    from iyu.console.analysis.stored_heat import Question
    from iyu.schemas.sql.engine import reading

    with _database() as engine:
        with reading(engine) as connection:
            a, b = (find_one(connection, name).model_version for name in (a, b))
            found = model_comparison.compare(connection, a, b, source)
            metrics = (
                model_comparison.measure_both(connection, a, b, str(source), labelled)
                if labelled
                else None
            )
        sample = KEYWORD_SAMPLE if found.reviews > KEYWORD_SAMPLE else None
        words = _words(engine, (a, b), Question(method, source), sample, top)
    if as_json:
        _print_json(found.to_dict() | {"metrics": metrics, "keywords": words})
        return
    _print(found, metrics, words)


@contextmanager
def _database() -> Iterator["Engine"]:
    from iyu.console.local.env_file import load_settings
    from iyu.schemas.sql.engine import check, connected

    with connected(load_settings().database) as engine:
        check(engine)
        yield engine


def _read_labels(path: Path, text: str, label: str, review_id: str) -> Any:
    from iyu.console.terminal.quiet_tensorflow import require_training

    require_training()
    from iyu.worker.training.data import read_labelled

    return read_labelled(path, text=text, label=label, review_id=review_id)


def _words(
    engine: "Engine", versions: Sequence[str], question: "Question", sample: int | None, top: int
) -> list[dict[str, Any]] | None:
    """Return the words whose heat has changed most; None where heat is not stored of both."""
    from iyu.console.analysis.keyword_report import Wanted, report
    from iyu.schemas.contract.errors import InputError

    wanted = Wanted(
        sample=sample, seed=0, top=top, min_reviews=None, function_words=False,
        by_model=True,
    )  # fmt: skip
    try:
        found = report(engine, question, wanted, versions)
    except InputError:
        return None
    changes: list[dict[str, Any]] = found.to_dict()["changes"]
    return changes


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
            if name != "reviews":
                typer.echo(f"  {name}: A {metrics['a'][name]:.4f}, B {metrics['b'][name]:.4f}")
    if words is None:
        typer.echo("words: no heat by this method is stored of both")
        return
    typer.echo("words that changed most (mean heat in units of each model's usual heat)")
    for word in words:
        typer.echo(
            f"  {word['surface']}/{word['pos']}: A {word['before']:+.2f}, B {word['after']:+.2f} "
            f"in {word['reviews']:,} reviews"
        )


def _print_flips(kind: str, count: int, examples: "Sequence[Flip]") -> None:
    typer.echo(f"{kind}: {count:,}")
    for flip in examples:
        text = " ".join(flip.text[:80].split())
        typer.echo(f"  {flip.a:.3f} → {flip.b:.3f}  {flip.source}/{flip.review_id}: {text}")


def _readable(values: dict[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from _readable(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{name}: {', '.join(map(str, value))}"
        else:
            yield f"{indent}{name}: {'-' if value is None else value}"


def _print_json(value: object) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
