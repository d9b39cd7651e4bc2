"""A rescoring campaign from beginning to end: publish, keep a worker running, show progress."""

import os
from dataclasses import dataclass
from time import monotonic
from typing import Any

import typer
from sqlalchemy import Engine

from iyu.console.exit_codes import DEAD_LETTERS, INTERRUPTED
from iyu.console.local.data_folder import command
from iyu.console.local.supervisor import ChildProcess, Service, Supervisor
from iyu.console.operations.open_database import open_database
from iyu.console.terminal.progress_bar import ProgressBar, progress_bar
from iyu.producer.rescore import Campaign, Selection
from iyu.schemas.broker.broker import RedisBroker
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger.progress import Outcome, batch_outcome, drain_seconds
from iyu.schemas.sql.engine import reading


@dataclass(frozen=True, slots=True)
class RescoreOptions:
    """How `iyu rescore` runs."""

    wait: bool  # until all are scored
    quiet: bool  # no progress on stderr


@dataclass(frozen=True, slots=True)
class RescoreReport:
    """The outcome of a campaign."""

    model_version: str
    wanted: int  # reviews without a row of the model when it began
    handed_over: int
    outcome: Outcome  # of the reviews handed over
    seconds: float
    stopped: bool  # by a signal

    @property
    def exit_code(self) -> int:
        """0 if it ran to its end without dead letters."""
        if self.stopped:
            return INTERRUPTED
        return DEAD_LETTERS if self.outcome.dead else 0

    def as_json(self) -> dict[str, Any]:
        """Return the report for a program."""
        return {
            "model_version": self.model_version,
            "wanted": self.wanted,
            "handed_over": self.handed_over,
            "scored": self.outcome.scored,
            "dead": self.outcome.dead,
            "open": self.outcome.pending,
            "stopped": self.stopped,
            "seconds": round(self.seconds, 3),
        }


def rescore(
    settings: Settings, selection: Selection, options: RescoreOptions, worker: ChildProcess | None
) -> RescoreReport:
    """Hand stored reviews over for a model, and let `worker` score them if one is given.

    Raises BrokerUnavailable, DatabaseUnavailable, DatabaseOutdated, and SettingsError where the
    worker cannot start. Whatever ended it, running it again goes on.
    """
    began = monotonic()
    broker = RedisBroker(settings)
    with open_database(settings.database) as engine:
        with reading(engine) as connection:
            wanted = selection.count(connection)
        campaign = Campaign(engine, broker, selection, chunk_size=settings.chunk_size)
        try:
            finished = campaign.step() or _run(engine, campaign, options, wanted, worker)
            campaign.close()
        finally:
            broker.close()
        with reading(engine) as connection:
            outcome = batch_outcome(connection, campaign.batch.batch_id)
    return RescoreReport(
        selection.model_version,
        wanted,
        campaign.batch.accepted,
        outcome,
        monotonic() - began,
        stopped=not finished,
    )


def local_worker(settings: Settings, model: str, concurrency: int) -> ChildProcess:
    """Return a worker of this machine for a campaign, not started yet."""
    environment = {
        "IYU_BROKER_URL": settings.broker,
        "IYU_DATABASE_URL": settings.database,
        "IYU_HEARTBEAT_FILE": os.devnull,  # the file belongs to the worker of live traffic
    }
    options = ("--rescore", "--concurrency", str(concurrency), "--model", model)
    return ChildProcess(command("worker", *options), environment)


def _run(
    engine: Engine,
    campaign: Campaign,
    options: RescoreOptions,
    wanted: int,
    worker: ChildProcess | None,
) -> bool:
    """Step until the end; False if a signal stopped it before."""
    services: dict[str, Service] = {"worker": worker} if worker else {}
    supervisor = Supervisor(services, lambda line: typer.echo(line, err=True))

    def is_over() -> bool:
        finished = campaign.step()
        _show_progress(engine, campaign, bar, options, wanted)
        return finished or (campaign.all_handed_over and not options.wait)

    verb = "rescored" if options.wait else "handed over"
    with progress_bar(verb, wanted, quiet=options.quiet) as bar, supervisor.running():
        return supervisor.watch(is_over)


def _show_progress(
    engine: Engine, campaign: Campaign, bar: ProgressBar, options: RescoreOptions, wanted: int
) -> None:
    if campaign.live_reviews and not campaign.all_handed_over:
        with reading(engine) as connection:
            seconds = drain_seconds(connection, campaign.live_reviews)
        bar.show_backlog(campaign.live_reviews, seconds)
    done = campaign.batch.accepted
    # What comes in meanwhile is handed over too, and what is erased is not.
    total = done if campaign.all_handed_over else max(wanted, done)
    bar.update(max(done - campaign.pending_reviews, 0) if options.wait else done, total)
