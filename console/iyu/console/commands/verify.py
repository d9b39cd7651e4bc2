"""`iyu verify`: whether what is stored is what the model says."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iyu.console.exit_codes import CHECK_FAILED
from iyu.console.terminal.options import (
    DatabaseOption,
    JsonOption,
    SubmittedSinceOption,
    SubmittedUntilOption,
)
from iyu.console.terminal.safe_text import visible_line

if TYPE_CHECKING:
    from iyu.console.trust.verification.run import Report, Task


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)


def verify(
    sample: Annotated[
        int, typer.Option(min=1, help="Scores whose texts are scored again, drawn at random.")
    ] = 1_000,
    everything: Annotated[
        bool, typer.Option("--all", help="Score every text again, and sum every day.")
    ] = False,
    days: Annotated[
        int, typer.Option(min=0, help="Days whose sums are computed again, drawn at random.")
    ] = 3,
    source: Annotated[str | None, typer.Option(help="Only rows of this source.")] = None,
    since: SubmittedSinceOption = None,
    until: SubmittedUntilOption = None,
    model: Annotated[
        str | None, typer.Option(help="Only rows of this model version, or how it begins.")
    ] = None,
    artifact: Annotated[
        list[str] | None,
        typer.Option(help="A folder with a model of the rows, beside IYU_MODEL; repeatable."),
    ] = None,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Compare stored rows with each other, and with what their model says of their texts now.

    Every row is checked in SQL; some texts are scored again. Exit code 4 where something differs.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.output import print_json
    from iyu.console.terminal.progress_bar import progress_bar
    from iyu.console.terminal.quiet_tensorflow import import_tensorflow_quietly
    from iyu.worker.settings import WorkerSettings

    import_tensorflow_quietly()
    from iyu.console.trust.verification.run import Task
    from iyu.console.trust.verification.run import verify as run_verification

    settings = load_settings(WorkerSettings, database_url=database)
    with open_database(settings.database) as engine:
        task = Task(
            _scope(engine, source, since, until, model),
            None if everything else sample,
            None if everything else days,
            [*(artifact or ()), settings.model],
        )
        with progress_bar("scored again", task.sample, quiet=as_json) as bar:
            report = run_verification(engine, task, bar.update)
    if as_json:
        print_json(report.to_dict(), indent=True)
    else:
        _print(report, task)
    if report.findings.total:
        raise typer.Exit(CHECK_FAILED)


def _scope(
    engine: Any,
    source: str | None,
    since: datetime | None,
    until: datetime | None,
    model: str | None,
) -> Any:
    from iyu.console.analysis.model_registry import find_version
    from iyu.console.trust.verification.scope import Scope
    from iyu.schemas.sql.engine import reading

    if model is not None:
        with reading(engine) as connection:
            model = find_version(connection, model)
    return Scope(source, since, until, model)


def _print(report: "Report", task: "Task") -> None:
    found = report.to_dict()
    typer.echo(
        f"{report.checked:,} scores checked in SQL, {report.scored:,} texts scored again, "
        f"the sums of {report.days:,} days computed again, in {found['seconds']:.1f} s"
    )
    if not report.findings.total:
        typer.echo("nothing differs")
    for kind in found["found"]:
        typer.echo(f"{kind['kind']}: {kind['count']:,} times: {kind['what']}")
        for example in kind["examples"]:
            parts = (f"{name} {value}" for name, value in example.items())
            typer.echo(visible_line(f"  {', '.join(parts)}"))
        typer.echo(f"  what to do: {kind['do']}")
