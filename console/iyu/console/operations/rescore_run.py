"""A campaign from its beginning to its end: hand over, look after a worker, tell how far it is."""

import os
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import typer
from sqlalchemy import Engine

from iyu.console.local.data_folder import command
from iyu.console.local.supervisor import ChildProcess, Service, Supervisor
from iyu.console.operations.submit import DEAD_LETTERS
from iyu.console.operations.wait_for_batch import Outcome, look
from iyu.console.terminal.progress_bar import Teller, teller
from iyu.producer.rescore import Campaign, Selection
from iyu.schemas.broker.broker import RedisBroker
from iyu.schemas.contract.settings import Settings
from iyu.schemas.ledger.progress import drain_seconds
from iyu.schemas.sql.engine import check, connected, reading

#: Exit code after Ctrl-C or SIGTERM.
INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class How:
    """What the command does beside handing over."""

    wait: bool  # until all are scored
    quiet: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a campaign."""

    model_version: str
    wanted: int  # reviews without a row of the model when it began
    handed_over: int
    outcome: Outcome  # of what was handed over
    seconds: float
    stopped: bool  # by a signal

    @property
    def exit_code(self) -> int:
        """0 if all went as asked."""
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
            "open": self.outcome.open,
            "stopped": self.stopped,
            "seconds": round(self.seconds, 3),
        }


def rescore(
    settings: Settings, selection: Selection, how: How, worker: ChildProcess | None
) -> Report:
    """Hand stored reviews over for a model, and let `worker` score them if one is given.

    Raises BrokerUnavailable, DatabaseUnavailable, DatabaseOutdated, and SettingsError where the
    worker cannot start. Whatever ended it, running it again goes on.
    """
    began = monotonic()
    broker = RedisBroker(settings)
    with connected(settings.database) as engine:
        check(engine)
        with reading(engine) as connection:
            wanted = selection.count(connection)
        campaign = Campaign(engine, broker, selection, chunk_size=settings.chunk_size)
        try:
            finished = campaign.step() or _run(engine, campaign, how, wanted, worker)
            campaign.close()
        finally:
            broker.close()
        with reading(engine) as connection:
            outcome = look(connection, campaign.batch.batch_id)
    return Report(
        selection.model_version,
        wanted,
        campaign.batch.accepted,
        outcome,
        monotonic() - began,
        stopped=not finished,
    )


def own_worker(settings: Settings, model: str, concurrency: int) -> ChildProcess:
    """Return a worker of this machine for a campaign, not started yet."""
    environment = {
        "IYU_BROKER_URL": settings.broker,
        "IYU_DATABASE_URL": settings.database,
        "IYU_HEARTBEAT_FILE": os.devnull,  # the file belongs to the worker of live traffic
    }
    options = ("--rescore", "--concurrency", str(concurrency), "--model", model)
    return ChildProcess(command("worker", *options), environment)


def _run(
    engine: Engine, campaign: Campaign, how: How, wanted: int, worker: ChildProcess | None
) -> bool:
    """Go on until the end; False if a signal stopped it before."""
    services: dict[str, Service] = {"worker": worker} if worker else {}
    supervisor = Supervisor(services, lambda line: typer.echo(line, err=True))

    def is_over() -> bool:
        finished = campaign.step()
        _tell(engine, campaign, tell, how)
        return finished or (campaign.all_handed_over and not how.wait)

    verb = "rescored" if how.wait else "handed over"
    with teller(verb, wanted, quiet=how.quiet) as tell, supervisor.running():
        return supervisor.watch(is_over)


def _tell(engine: Engine, campaign: Campaign, tell: Teller, how: How) -> None:
    if campaign.live_reviews and not campaign.all_handed_over:
        with reading(engine) as connection:
            tell.waits(campaign.live_reviews, drain_seconds(connection, campaign.live_reviews))
    done = campaign.batch.accepted
    tell.at(max(done - campaign.pending_reviews, 0) if how.wait else done)
