"""`iyu ingest`: reviews from a table of another system, and what becomes of them there."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iyu.console.exit_codes import CHECK_FAILED
from iyu.console.terminal.duration import parse_duration
from iyu.console.terminal.options import DatabaseOption, JsonOption

if TYPE_CHECKING:
    from iyu.console.ingest.run import Counts, Ingestion
    from iyu.producer.readers.database_table import DatabaseTable


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ingest)


def ingest(
    address: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="URL",
            envvar="IYU_INGEST_FROM",
            show_envvar=False,
            help="The other database; or in IYU_INGEST_FROM, so that no list of processes has it.",
        ),
    ],
    table: Annotated[str, typer.Option(help="Its table or view, perhaps SCHEMA.TABLE.")],
    changed: Annotated[
        str, typer.Option(help="Column with a time or a number that grows with every change.")
    ],
    source: Annotated[str, typer.Option(help="Where the reviews come from, as iyu names it.")],
    key: Annotated[str, typer.Option("--id", help="Column of the ids.")] = "id",
    text: Annotated[str, typer.Option(help="Column of the reviews.")] = "text",
    deleted: Annotated[
        str | None, typer.Option(help="Column that is set in deleted rows: they are erased here.")
    ] = None,
    written: Annotated[
        str | None, typer.Option(help="Column that says when each was written; trends go by it.")
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Zone of such times that state none, for example Asia/Seoul.")
    ] = None,
    follow: Annotated[
        timedelta | None,
        typer.Option(parser=parse_duration, metavar="10s", help="Look again so often, for ever."),
    ] = None,
    overlap: Annotated[
        timedelta,
        typer.Option(
            parser=parse_duration,
            metavar="5m",
            help="Look back so far: longer than a transaction there stays open.",
        ),
    ] = "5m",  # type: ignore[assignment]
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Erase reviews whose rows are gone.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --mirror: also if more than 10 % are gone.")
    ] = False,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Hand over the reviews of a table that changed since the last time, and erase the deleted.

    It reads only. How far it came is kept in iyu's database, so it may be stopped at any moment
    and run again. A text that did not change is not handed over again.
    """
    from iyu.console.ingest.mirror import MirrorRefused
    from iyu.console.ingest.run import Counts, Mirror, follow_table, ingest_once
    from iyu.producer.readers.database_table import TableNames
    from iyu.producer.readers.written_times import read_zone

    if force and not mirror:
        raise typer.BadParameter("--force goes with --mirror")
    names = TableNames(table, key, text, changed, deleted, written, read_zone(time_zone))
    asked = Mirror(mirror, force)
    total = Counts()

    def report(counts: Counts) -> None:
        total.add(counts)
        _print(counts, as_json=as_json)

    try:
        with _ingestion(address, names, source, overlap, database, quiet=as_json) as ingestion:
            if follow is None:
                report(ingest_once(ingestion, asked))
            else:
                _stop_by_signal()
                follow_table(ingestion, asked, follow.total_seconds(), report, _warn)
    except MirrorRefused as error:
        _warn(f"iyu: error: {error}")
        raise typer.Exit(CHECK_FAILED) from None
    except KeyboardInterrupt:
        if follow is None:
            raise
    if follow is not None:
        _warn(f"stopped; {_text(total)}")


@contextmanager
def _ingestion(
    address: str,
    names: Any,
    source: str,
    overlap: timedelta,
    database: str | None,
    *,
    quiet: bool,
) -> Iterator["Ingestion"]:
    from iyu.console.ingest.positions import Place
    from iyu.console.ingest.run import Ingestion
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.progress_bar import progress_bar
    from iyu.producer import Producer
    from iyu.producer.readers.database_table import DatabaseTable
    from iyu.schemas.contract.message import Queue

    settings = load_settings(database_url=database)
    with (
        open_database(settings.database) as engine,
        DatabaseTable(address, names) as table,
        progress_bar("read", None, quiet=quiet) as bar,
        Producer(settings, source=source, queue=Queue.BULK, on_wait=bar.show_backlog) as producer,
    ):
        _warn_of_rows_without_time(table, names.changed)
        place = Place(source, table.place, names.table)
        yield Ingestion(engine, table, producer, place, overlap, bar.update)


def _warn_of_rows_without_time(table: "DatabaseTable", column: str) -> None:
    if count := table.count_unreadable():
        _warn(f"{count:,} rows have no id, or nothing usable in {column}, and are never read")


def _stop_by_signal() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def _print(counts: "Counts", *, as_json: bool) -> None:
    from iyu.console.terminal.output import print_json

    if not as_json:
        typer.echo(_text(counts))
        return
    rejected = {reason.value: count for reason, count in counts.rejected.items()}
    print_json(
        {
            "read": counts.read,
            "submitted": counts.submitted,
            "unchanged": counts.unchanged,
            "erased": counts.erased,
            "rejected": rejected,
        }
    )


def _text(counts: "Counts") -> str:
    line = (
        f"{counts.read:,} rows read: {counts.submitted:,} handed over, {counts.unchanged:,} "
        f"unchanged, {counts.erased:,} erased, {counts.rejected.total():,} rejected"
    )
    reasons = [f"  {reason}: {count:,}" for reason, count in counts.rejected.items()]
    return "\n".join([line, *reasons])


def _warn(line: str) -> None:
    typer.echo(line, err=True)
