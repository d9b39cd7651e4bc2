"""`iyu db`: create, migrate, check, prune and back up the tables."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from iyu.console.terminal.duration import parse_duration
from iyu.console.terminal.options import DatabaseOption

if TYPE_CHECKING:
    from sqlalchemy import Engine


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(db, name="db")


db = typer.Typer(help="Create, migrate, check, prune and back up the tables.", no_args_is_help=True)


@db.command()
def upgrade(database: DatabaseOption = None) -> None:
    """Create the tables and views, or migrate them to this version."""
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.recount import recount_marked
    from iyu.schemas.contract.settings import mask
    from iyu.schemas.sql.engine import connected
    from iyu.schemas.sql.engine import upgrade as upgrade_tables

    settings = load_settings(database_url=database)
    with connected(settings.database) as engine:
        upgrade_tables(engine)
        left = recount_marked(engine)
    typer.echo(f"{mask(settings.database)} is up to date")
    if left:
        typer.echo(f"{left:,} days wait to be counted by source; run where a worker is installed: "
                   "iyu db recount", err=True)  # fmt: skip


@db.command()
def recount(database: DatabaseOption = None) -> None:
    """Count daily sums anew on the days that need it; run it again after the last older worker.

    Workers may run. Where it is stopped, the next run goes on.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.operations.recount import recount as count_anew
    from iyu.console.terminal.optional_libraries import require_worker_libraries

    require_worker_libraries(("numpy",))
    with open_database(load_settings(database_url=database).database) as engine:
        days = count_anew(engine)
    typer.echo(f"{days:,} days counted anew")


@db.command()
def check(database: DatabaseOption = None) -> None:
    """Check that the tables are of this version; exit code 2 if not, 3 if nothing answers."""
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.schemas.contract.settings import mask

    settings = load_settings(database_url=database)
    with open_database(settings.database):
        typer.echo(f"{mask(settings.database)} is up to date")


@db.command()
def prune(
    days: Annotated[
        int, typer.Option(min=1, max=36_500, help="Keep what is of the last so many days.")
    ] = 30,
    heatmaps_older: Annotated[
        timedelta | None,
        typer.Option(
            parser=parse_duration, metavar="DURATION", help="Delete older heatmaps too: 90d."
        ),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Delete old bookkeeping: finished chunks, lines of the results feed, tombstones.

    Scores, reviews and dead letters stay, and so do the sums of words. A reader of the feed whose
    cursor is older has to begin again. Heatmaps go in small steps, while workers run.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.console.operations.prune import prune_older

    with open_database(load_settings(database_url=database).database) as engine:
        pruned = prune_older(engine, days)
        heatmaps = None if heatmaps_older is None else _prune_heatmaps(engine, heatmaps_older)
    typer.echo(
        f"{pruned.chunks:,} finished chunks, {pruned.events:,} lines of the results feed and "
        f"{pruned.tombstones:,} tombstones deleted"
    )
    if heatmaps is not None:
        typer.echo(f"{heatmaps:,} heatmaps deleted")


def _prune_heatmaps(engine: "Engine", age: timedelta) -> int:
    from iyu.console.operations.prune_heatmaps import count_older, prune_heatmaps
    from iyu.console.terminal.progress_bar import progress_bar
    from iyu.schemas.contract.review import utc_now

    before = utc_now() - age
    with progress_bar("looking through reviews", count_older(engine, before), quiet=False) as bar:
        return prune_heatmaps(engine, before, bar.update)


@db.command("convert-heatmaps")
def convert_heatmaps(database: DatabaseOption = None) -> None:
    """Convert heatmaps from before 0.2 into columns, a quarter of their size, while workers run.

    Until then they are read as they are. It may be interrupted, and goes on when called again.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.convert_heatmaps import convert_heatmaps as convert
    from iyu.console.operations.convert_heatmaps import count_old_heatmaps
    from iyu.console.operations.open_database import open_database
    from iyu.console.terminal.progress_bar import progress_bar

    with open_database(load_settings(database_url=database).database) as engine:
        old = count_old_heatmaps(engine)
        with progress_bar("converting", old, quiet=False) as bar:
            done = convert(engine, bar.update)
    typer.echo(f"{done.rows:,} heatmaps converted")
    if done.left:
        typer.echo(f"{done.left:,} do not fit their review's text and stay as they are", err=True)


@db.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")],
    database: DatabaseOption = None,
) -> None:
    """Copy a SQLite database while it is used; for PostgreSQL, name its own tool."""
    from iyu.console.local.env_file import load_settings
    from iyu.console.local.sqlite_files import back_up
    from iyu.console.operations.open_database import open_database

    address = load_settings(database_url=database).database
    with open_database(address):
        back_up(address, file)
    typer.echo(f"copied to {file}")


@db.command()
def restart_feed(database: DatabaseOption = None) -> None:
    """Begin the results feed anew, after a restore: every event is read again by every reader."""
    from uuid import uuid4

    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.schemas.results.epoch import restart_feed as restart
    from iyu.schemas.sql.engine import writing

    address = load_settings(database_url=database).database
    with open_database(address) as engine, writing(engine) as connection:
        restart(connection, uuid4().hex[:12])
    typer.echo("the results feed begins anew; cursors from before are refused")


@db.command()
def reader_role(
    name: Annotated[str, typer.Argument(metavar="NAME", help="For example iyu_reader.")],
    database: DatabaseOption = None,
) -> None:
    """Print the SQL of a PostgreSQL role that can only read, for IYU_READER_DATABASE_URL.

    Run them as the owner of the tables, and again after an upgrade that adds tables.
    """
    from iyu.console.analysis.reader_role import reader_role_statements
    from iyu.console.local.env_file import load_settings

    for statement in reader_role_statements(name, load_settings(database_url=database).database):
        typer.echo(f"{statement};")
    typer.echo(f"-- Then give it a password, in psql: \\password {name}")


@db.command("rare-words")
def rare_words(
    min_reviews: Annotated[
        int,
        typer.Argument(metavar="K", min=1, max=1_000_000, help="1 shows every word."),
    ],
    database: DatabaseOption = None,
) -> None:
    """Hide words that fewer than K reviews hold from keyword_trend and keyword_importance.

    The default is 3. It counts all words anew, which takes a while in a large database.
    """
    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.schemas.sql.engine import writing
    from iyu.schemas.sql.rare_words import hide_rare_words

    address = load_settings(database_url=database).database
    with open_database(address) as engine, writing(engine) as connection:
        hide_rare_words(connection, min_reviews)
    typer.echo(f"the views show words that at least {min_reviews:,} reviews hold")
