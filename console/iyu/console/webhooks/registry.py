"""The webhooks there are: whom to call, about what, and from where in the feed."""

import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from iyu.schemas.contract.errors import InputError
from iyu.schemas.contract.review import utc_now
from iyu.schemas.results import Cursor, Filter
from iyu.schemas.sql.tables import webhook_deliveries, webhook_secrets, webhooks

#: Bytes of a secret; Standard Webhooks asks for 24 to 64.
SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Webhook:
    """One receiver. Its secrets are read where a call is signed, and nowhere else."""

    webhook_id: str
    url: str
    wanted: Filter
    cursor: Cursor
    created_at: datetime
    ended_at: datetime | None  # it answered 410, or was removed
    failing_since: datetime | None
    last_error: str | None
    given_up: int  # messages that were not taken within three days
    queued: int  # messages that wait for their first call or the next one

    @property
    def state(self) -> str:
        """One word for a person."""
        if self.ended_at:
            return "ended"
        return "failing" if self.failing_since else "active"


def add_webhook(
    connection: Connection, url: str, wanted: Filter, cursor: Cursor
) -> tuple[str, str]:
    """Write a webhook down; return its id, and the secret, which is shown once."""
    webhook_id, secret = f"wh_{secrets.token_hex(6)}", new_secret()
    connection.execute(
        insert(webhooks).values(
            webhook_id=webhook_id,
            url=url,
            sources=list(wanted.sources),
            label=wanted.label,
            below=wanted.below,
            above=wanted.above,
            cursor=str(cursor),
            created_at=utc_now(),
            given_up=0,
        )
    )
    connection.execute(insert(webhook_secrets).values(webhook_id=webhook_id, secret=secret))
    return webhook_id, secret


def list_webhooks(connection: Connection) -> list[Webhook]:
    """Return all webhooks, oldest first."""
    waiting = (
        select(webhook_deliveries.c.webhook_id, func.count().label("queued"))
        .group_by(webhook_deliveries.c.webhook_id)
        .subquery()
    )
    query = (
        select(webhooks, func.coalesce(waiting.c.queued, 0).label("queued"))
        .join(waiting, waiting.c.webhook_id == webhooks.c.webhook_id, isouter=True)
        .order_by(webhooks.c.created_at, webhooks.c.webhook_id)
    )
    return [_webhook(row) for row in connection.execute(query)]


def find_webhook(connection: Connection, webhook_id: str) -> Webhook:
    """Return one. Raises InputError."""
    for webhook in list_webhooks(connection):
        if webhook.webhook_id == webhook_id:
            return webhook
    raise InputError(f"there is no webhook {webhook_id!r}; `iyu webhooks list` shows them")


def remove_webhook(connection: Connection, webhook_id: str) -> None:
    """Delete a webhook, its secrets and what waits for it. Raises InputError."""
    find_webhook(connection, webhook_id)
    for table in (webhook_deliveries, webhook_secrets, webhooks):
        connection.execute(delete(table).where(table.c.webhook_id == webhook_id))


def rotate_secret(connection: Connection, webhook_id: str) -> str:
    """Return a new secret; calls are signed with the present one too, until the next rotation.

    Raises InputError.
    """
    find_webhook(connection, webhook_id)
    secret = new_secret()
    connection.execute(
        update(webhook_secrets)
        .where(webhook_secrets.c.webhook_id == webhook_id)
        .values(previous=webhook_secrets.c.secret, secret=secret)
    )
    return secret


def read_secrets(connection: Connection, webhook_id: str) -> list[str]:
    """Return the secrets to sign with, the newest first."""
    query = select(webhook_secrets.c.secret, webhook_secrets.c.previous).where(
        webhook_secrets.c.webhook_id == webhook_id
    )
    row = connection.execute(query).one()
    return [secret for secret in row if secret]


def new_secret() -> str:
    """Return a fresh secret as Standard Webhooks writes it."""
    return "whsec_" + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _webhook(row: Row[Any]) -> Webhook:
    sources: Sequence[str] = row.sources
    return Webhook(
        webhook_id=row.webhook_id,
        url=row.url,
        wanted=Filter(tuple(sources), row.label, row.below, row.above),
        cursor=Cursor.parse(row.cursor),
        created_at=row.created_at,
        ended_at=row.ended_at,
        failing_since=row.failing_since,
        last_error=row.last_error,
        given_up=row.given_up,
        queued=int(row.queued),
    )
