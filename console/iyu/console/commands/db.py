"""`iyu db`: create, migrate, check and prune the tables."""

from typing import Annotated

import typer

from iyu.console.terminal.options import DatabaseOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(db, name="db")


db = typer.Typer(help="Create, migrate, check and prune the tables.", no_args_is_help=True)


@db.command()
def upgrade(database: DatabaseOption = None) -> None:
    """Create the tables and views, or migrate them to this version."""
    from iyu.console.local.env_file import load_settings
    from iyu.schemas.contract.settings import mask
    from iyu.schemas.sql.engine import connected
    from iyu.schemas.sql.engine import upgrade as upgrade_tables

    settings = load_settings(database_url=database)
    with connected(settings.database) as engine:
        upgrade_tables(engine)
    typer.echo(f"{mask(settings.database)} is up to date")


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
        int, typer.Option(min=1, max=36_500, help="Keep what is younger than so many days.")
    ] = 30,
    database: DatabaseOption = None,
) -> None:
    """Delete old finished chunks, lines of the results feed, and tombstones of erased reviews.

    Scores, reviews and dead letters stay; so does what a pending chunk still needs.
    """
    from datetime import timedelta

    from iyu.console.local.env_file import load_settings
    from iyu.console.operations.open_database import open_database
    from iyu.schemas.contract.review import utc_now
    from iyu.schemas.erasure.tombstones import prune_tombstones
    from iyu.schemas.ledger import chunks as ledger
    from iyu.schemas.results.retention import prune_feed
    from iyu.schemas.sql.engine import writing

    address = load_settings(database_url=database).database
    with open_database(address) as engine, writing(engine) as connection:
        before = utc_now() - timedelta(days=days)
        count = ledger.prune(connection, before)
        events = prune_feed(connection, before)
        tombstones = prune_tombstones(connection, before)
    typer.echo(f"{count:,} finished chunks deleted")
    typer.echo(f"{events:,} lines of the results feed and {tombstones:,} tombstones deleted")


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
