"""`iyu rescore`: score stored reviews by another model, beside live traffic."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from iyu.console.operations.rescore_run import Report

EXIT_CODES = (
    "Exit code: 0 when all are scored (without --wait: handed over), 2 for a wrong model or "
    "setting, 3 if broker or database do not answer, 6 if there are dead letters, 130 when "
    "stopped. Run it again to go on: what has its row is left out."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXIT_CODES)(rescore)


def rescore(
    model: Annotated[str, typer.Option(help="A model's name or folder.")],
    source: Annotated[str | None, typer.Option(help="Only reviews of this source.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Only reviews submitted then or later (UTC).")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many reviews at most.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all are scored.")] = False,
    work: Annotated[
        bool, typer.Option("--work", help="Score them here, at low priority; waits for the end.")
    ] = False,
    concurrency: Annotated[int, typer.Option(min=1, help="Processes, with --work.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Score stored reviews by another model too, at low priority; the views stay as they are.

    Only reviews without a row of that model on their present text. Without --work it hands them
    to workers started with `iyu worker --rescore --model …`. `iyu models use` switches the views.
    """
    import json

    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.rescore_run import How, own_worker
    from iyu.console.operations.rescore_run import rescore as run
    from iyu.producer.rescore import Selection
    from iyu.worker.model.artifact import locate, read_manifest

    settings = load_settings()
    version = str(read_manifest(locate(model))["model_version"])
    if not work and not as_json:
        typer.echo(f"scored by: iyu worker --rescore --model {model}", err=True)
    report = run(
        settings,
        Selection(version, source, _utc(since), limit),
        How(wait=wait or work, quiet=as_json),
        own_worker(settings, model, concurrency) if work else None,
    )
    typer.echo(json.dumps(report.as_json()) if as_json else _text(report))
    raise typer.Exit(report.exit_code)


def _utc(moment: datetime | None) -> datetime | None:
    from datetime import UTC

    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _text(report: "Report") -> str:
    if not report.wanted:
        return f"every review has its score by {report.model_version}; nothing to do"
    outcome = report.outcome
    told = (
        f"{report.handed_over:,} of {report.wanted:,} reviews handed over for model "
        f"{report.model_version}: {outcome.scored:,} scored, {outcome.dead:,} dead letters, "
        f"{outcome.open:,} waiting, in {report.seconds:,.1f} s"
    )
    return f"{told}; stopped, run it again to go on" if report.stopped else told
