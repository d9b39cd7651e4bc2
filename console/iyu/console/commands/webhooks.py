"""`iyu webhooks`: signed calls for what is new."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from iyu.console.webhooks.registry import Webhook

Database = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="Instead of IYU_DATABASE_URL.")
]
Id = Annotated[str, typer.Argument(metavar="ID", help="As `iyu webhooks list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.add_typer(webhooks, name="webhooks")


webhooks = typer.Typer(help="Call other systems about new results.", no_args_is_help=True)


@webhooks.callback()
def _need_extra() -> None:
    from iyu.schemas.contract.errors import SettingsError

    if find_spec("standardwebhooks") is None or find_spec("httpcore") is None:
        raise SettingsError("webhooks need more packages; run: pip install 'iyu[webhooks]'")


@webhooks.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="https://HOST/PATH")],
    source: Annotated[list[str] | None, typer.Option(help="Only this source; repeatable.")] = None,
    label: Annotated[str | None, typer.Option(help="Only positive or only negative.")] = None,
    below: Annotated[float | None, typer.Option(help="Only probabilities below this.")] = None,
    above: Annotated[float | None, typer.Option(help="Only probabilities above this.")] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Send what is stored already, too.")
    ] = False,
    database: Database = None,
) -> None:
    """Add a receiver, and print the secret that its calls are signed with: it is shown once."""
    from iyu.console.webhooks.address_guard import check_url
    from iyu.console.webhooks.registry import add_webhook
    from iyu.console.webhooks.settings import WebhookSettings
    from iyu.schemas.results import Cursor, Filter, end_of_feed
    from iyu.schemas.sql.engine import writing

    if label not in (None, "positive", "negative"):
        raise typer.BadParameter("--label takes positive or negative")
    check_url(url, allow_private=WebhookSettings().allow_private)
    with _engine(database) as engine, writing(engine) as connection:
        cursor = Cursor.parse("0") if from_beginning else end_of_feed(connection)
        wanted = Filter(tuple(source or ()), label, below, above)
        webhook_id, secret = add_webhook(connection, url, wanted, cursor)
    typer.echo(f"{webhook_id}\nsecret: {secret}\nCalls are made by `iyu webhooks run`.")


@webhooks.command(name="list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    database: Database = None,
) -> None:
    """List receivers: how they do, and how much waits for them."""
    import json

    from iyu.console.webhooks.registry import list_webhooks
    from iyu.schemas.sql.engine import reading

    with _engine(database) as engine, reading(engine) as connection:
        found = list_webhooks(connection)
    for webhook in found:
        typer.echo(json.dumps(_summary(webhook)) if as_json else _line(webhook))
    if not found and not as_json:
        typer.echo("no webhooks; `iyu webhooks add URL` adds one")


@webhooks.command()
def remove(webhook_id: Id, database: Database = None) -> None:
    """Remove a receiver, and what waits for it."""
    from iyu.console.webhooks.registry import remove_webhook
    from iyu.schemas.sql.engine import writing

    with _engine(database) as engine, writing(engine) as connection:
        remove_webhook(connection, webhook_id)
    typer.echo(f"{webhook_id} is removed")


@webhooks.command()
def rotate(webhook_id: Id, database: Database = None) -> None:
    """Print a new secret; calls are signed with the old one too, until the next rotation."""
    from iyu.console.webhooks.registry import rotate_secret
    from iyu.schemas.sql.engine import writing

    with _engine(database) as engine, writing(engine) as connection:
        secret = rotate_secret(connection, webhook_id)
    typer.echo(f"secret: {secret}")


@webhooks.command(name="test")
def call_once(webhook_id: Id, database: Database = None) -> None:
    """Make one signed call with an empty list of results; exit code 1 if it is not taken."""
    from iyu.console.webhooks.deliveries import Delivery
    from iyu.console.webhooks.payload import empty_message
    from iyu.console.webhooks.registry import find_webhook, read_secrets
    from iyu.console.webhooks.sender import Sender
    from iyu.console.webhooks.settings import WebhookSettings
    from iyu.schemas.sql.engine import reading

    with _engine(database) as engine, reading(engine) as connection:
        webhook = find_webhook(connection, webhook_id)
        signing = read_secrets(connection, webhook_id)
    sender = Sender(allow_private=WebhookSettings().allow_private)
    answer = sender.send(webhook.url, signing, Delivery("msg_test", empty_message().body, 0))
    sender.close()
    typer.echo(answer.error or f"it answered {answer.status}", err=answer.error is not None)
    if answer.error is not None:
        raise typer.Exit(1)


@webhooks.command()
def run(database: Database = None) -> None:
    """Make the calls, until TERM or Ctrl-C; several processes may run side by side."""
    import signal
    from threading import Event

    from iyu.console.local.env_file import load_settings
    from iyu.console.webhooks.run import run_webhooks
    from iyu.console.webhooks.sender import Sender
    from iyu.console.webhooks.settings import WebhookSettings
    from iyu.schemas.contract.logs import log_as_json

    if load_settings(database_url=database).log == "json":
        log_as_json()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sender = Sender(allow_private=WebhookSettings().allow_private)
    with _engine(database) as engine:
        run_webhooks(engine, sender, stop)
    sender.close()


@contextmanager
def _engine(database: str | None) -> Iterator["Engine"]:
    from iyu.console.local.env_file import load_settings
    from iyu.schemas.sql.engine import check, connected

    with connected(load_settings(database_url=database).database) as engine:
        check(engine)
        yield engine


def _summary(webhook: "Webhook") -> dict[str, object]:
    return {
        "webhook_id": webhook.webhook_id,
        "url": webhook.url,
        "state": webhook.state,
        "queued": webhook.queued,
        "given_up": webhook.given_up,
        "last_error": webhook.last_error,
        "failing_since": webhook.failing_since and webhook.failing_since.isoformat(),
    }


def _line(webhook: "Webhook") -> str:
    error = f", {webhook.last_error}" if webhook.last_error else ""
    figures = f"{webhook.queued:,} queued, {webhook.given_up:,} given up"
    return f"{webhook.webhook_id}  {webhook.state}  {webhook.url}  ({figures}{error})"
