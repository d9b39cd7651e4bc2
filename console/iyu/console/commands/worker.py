"""`iyu worker` and `iyu beat`: the processes that score reviews, and that sweep the ledger."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(worker)
    app.command()(beat)


def worker(
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Processes; default: one a core.")
    ] = None,
    queues: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help="Queues to serve; default: live, bulk.")
    ] = None,
    hostname: Annotated[str | None, typer.Option(help="This worker's name.")] = None,
    model: Annotated[str | None, typer.Option(help="A model's name or folder.")] = None,
    rescore: Annotated[
        bool, typer.Option("--rescore", help="Serve `iyu rescore` alone, at low priority.")
    ] = False,
) -> None:
    """Score the reviews in the queues until SIGTERM; chunks that are running are finished first."""
    if rescore and queues:
        raise typer.BadParameter("--rescore serves one queue of its own", param_hint="--queues")
    from iyu.console.local.env_file import load_settings
    from iyu.console.terminal.optional_libraries import require_worker_libraries

    require_worker_libraries()
    from iyu.worker.service.celery_app import run_worker
    from iyu.worker.settings import WorkerSettings

    settings = load_settings(WorkerSettings, model=model, concurrency=concurrency)
    names = [name.strip() for name in queues.split(",")] if queues else None
    raise typer.Exit(run_worker(settings, queues=names, hostname=hostname, rescore=rescore))


def beat() -> None:
    """Publish lost chunks of the ledger again, at intervals; one of these is enough."""
    from iyu.console.local.env_file import load_settings
    from iyu.console.terminal.optional_libraries import require_worker_libraries

    require_worker_libraries()
    from iyu.worker.service.celery_app import run_beat
    from iyu.worker.settings import WorkerSettings

    run_beat(load_settings(WorkerSettings))
