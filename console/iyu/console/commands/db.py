"""`iyu db`: create, migrate, check and prune the tables."""

from typing import Annotated

import typer

Database = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="Instead of IYU_DATABASE_URL."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(db, name="db")


db = typer.Typer(help="Create, migrate and check the tables.", no_args_is_help=True)


@db.command()
def upgrade(database: Database = None) -> None:
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
def check(database: Database = None) -> None:
    """Say whether the tables are of this version; exit code 2 if not, 3 if nothing answers."""
    from iyu.console.local.env_file import load_settings
    from iyu.schemas.contract.settings import mask
    from iyu.schemas.sql.engine import check as check_tables
    from iyu.schemas.sql.engine import connected

    settings = load_settings(database_url=database)
    with connected(settings.database) as engine:
        check_tables(engine)
    typer.echo(f"{mask(settings.database)} is up to date")


@db.command()
def prune(
    days: Annotated[int, typer.Option(min=1, help="Keep those finished since so many days.")] = 30,
    database: Database = None,
) -> None:
    """Delete finished chunks from the ledger; scores, reviews and dead letters stay."""
    from datetime import timedelta

    from iyu.console.local.env_file import load_settings
    from iyu.schemas.contract.review import utc_now
    from iyu.schemas.ledger import chunks as ledger
    from iyu.schemas.sql.engine import connected, writing

    address = load_settings(database_url=database).database
    with connected(address) as engine, writing(engine) as connection:
        count = ledger.prune(connection, utc_now() - timedelta(days=days))
    typer.echo(f"{count:,} finished chunks deleted")
