"""`iyu rescore`: score stored reviews by another model, beside live traffic."""

from typing import TYPE_CHECKING, Annotated

import typer

from iyu.console.terminal.options import JsonOption, SubmittedSinceOption

if TYPE_CHECKING:
    from iyu.console.operations.rescore_run import RescoreReport

EXIT_CODES = (
    "Exit code: 0 when all are scored (without --wait: handed over), 2 for a wrong model or "
    "setting, 3 if broker or database do not answer, 6 if there are dead letters, 130 when "
    "stopped. Run it again to go on: reviews that have a row of the model are left out."
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXIT_CODES)(rescore)


def rescore(
    model: Annotated[str, typer.Option(help="A model's name or folder.")],
    source: Annotated[str | None, typer.Option(help="Only reviews of this source.")] = None,
    since: SubmittedSinceOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many reviews at most.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all are scored.")] = False,
    work: Annotated[
        bool, typer.Option("--work", help="Score them here, at low priority; waits for the end.")
    ] = False,
    concurrency: Annotated[int, typer.Option(min=1, help="Processes, with --work.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Score stored reviews by another model too, at low priority; the views stay as they are.

    Only reviews without a row of that model on their present text. Without --work it hands them
    to workers started with `iyu worker --rescore --model …`. `iyu models use` switches the views.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.rescore_run import RescoreOptions, local_worker
    from iyu.console.operations.rescore_run import rescore as run_campaign
    from iyu.console.terminal.optional_libraries import WORKER, require_worker_libraries
    from iyu.console.terminal.output import print_json
    from iyu.producer.rescore import Selection

    require_worker_libraries(WORKER if work else ("numpy",))
    from iyu.worker.model.artifact import locate, read_manifest

    settings = load_settings()
    version = str(read_manifest(locate(model))["model_version"])
    if not work and not as_json:
        typer.echo(f"scored by: iyu worker --rescore --model {model}", err=True)
    report = run_campaign(
        settings,
        Selection(version, source, since, limit),
        RescoreOptions(wait=wait or work, quiet=as_json),
        local_worker(settings, model, concurrency) if work else None,
    )
    if as_json:
        print_json(report.as_json())
    else:
        typer.echo(_text(report))
    raise typer.Exit(report.exit_code)


def _text(report: "RescoreReport") -> str:
    if not report.wanted:
        return f"every review has its score by {report.model_version}; nothing to do"
    outcome = report.outcome
    line = (
        f"{report.handed_over:,} of {max(report.wanted, report.handed_over):,} reviews handed over "
        f"for model "
        f"{report.model_version}: {outcome.scored:,} scored, {outcome.dead:,} dead letters, "
        f"{outcome.pending:,} pending, in {report.seconds:,.1f} s"
    )
    return f"{line}; stopped, run it again to go on" if report.stopped else line
