"""`iyu models`: which have scored, which one the views show, and how two differ."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from iyu.console.commands.compare_models import compare
from iyu.console.terminal.options import JsonOption

Version = Annotated[str, typer.Argument(help="A model version, or how the only one begins.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="models")


group = typer.Typer(help="The models that have scored: list, show, use, compare.")
group.info.no_args_is_help = True
group.command()(compare)


@group.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List the models, the one that the views show first."""
    from rich.console import Console

    from iyu.console.analysis.model_registry import Model, find_all
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.output import make_table, print_json
    from iyu.schemas.sql.engine import reading

    with open_database(load_settings().database) as engine, reading(engine) as connection:
        found = find_all(connection)
    if as_json:
        print_json([model.summary() for model in found], indent=True)
        return

    def row(model: Model) -> tuple[str, ...]:
        return (
            "*" if model.is_current else "",
            model.model_version,
            model.preset,
            f"{model.created_at:%Y-%m-%d %H:%M:%S}",
            f"{model.activated_at:%Y-%m-%d %H:%M:%S}" if model.activated_at else "never",
            f"{model.reviews:,}",
            "-" if model.test_auc is None else f"{model.test_auc:.4f}",
        )

    columns = ("", "version", "preset", "created", "activated", "reviews", "test AUC")
    table = make_table(columns, map(row, found), right=("reviews", "test AUC"))
    Console().print(table if found else "no model has scored yet")


@group.command()
def show(version: Version, as_json: JsonOption = False) -> None:
    """Show a model's manifest: data, training, metrics, libraries."""
    from iyu.console.analysis.model_registry import find_one
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.output import print_json
    from iyu.schemas.sql.engine import reading

    with open_database(load_settings().database) as engine, reading(engine) as connection:
        model = find_one(connection, version)
    whole = model.summary() | {"manifest": dict(model.manifest)}
    if as_json:
        print_json(whole, indent=True)
        return
    for line in _readable(whole):
        typer.echo(line)


@group.command()
def use(version: Version, as_json: JsonOption = False) -> None:
    """Let the views show this model wherever it has scored; all other rows stay.

    What workers score with is IYU_MODEL, and is not changed by this.
    """
    from iyu.console.analysis.model_registry import activate, find_one
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.output import print_json
    from iyu.schemas.sql.engine import reading, writing

    with open_database(load_settings().database) as engine:
        with writing(engine) as connection:
            activated = activate(connection, version)
        # Its reviews are counted without the write lock, which workers wait for.
        with reading(engine) as connection:
            model = find_one(connection, activated)
    if as_json:
        print_json(model.summary(), indent=True)
        return
    typer.echo(
        f"the views show {model.model_version} ({model.preset}) for the {model.reviews:,} reviews "
        "it has scored, and the model before for others"
    )


def _readable(values: dict[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from _readable(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{name}: {', '.join(map(str, value))}"
        else:
            yield f"{indent}{name}: {'-' if value is None else value}"
