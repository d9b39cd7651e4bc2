"""Messages on their way: taken from the feed, due, delivered, tried again, given up."""

import random
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from iyu.console.webhooks.payload import Message, make_messages
from iyu.console.webhooks.registry import Webhook, find_webhook
from iyu.schemas.contract.review import utc_now
from iyu.schemas.results import read_batch
from iyu.schemas.sql.tables import webhook_deliveries, webhooks

#: Pauses after each failed call: about three days in all (Standard Webhooks, "Retries").
PAUSES: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 72_000)
)
#: A longer Retry-After is taken as this.
MAX_RETRY_AFTER: Final = timedelta(days=1)
#: Messages that wait for one receiver; more stay in the feed until some were taken.
MAX_QUEUED: Final = 1_000
#: Time for which a process has a webhook to itself; it is renewed before each call.
LEASE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message for one webhook."""

    delivery_id: str  # `webhook-id`: the same at every attempt, so that a receiver drops doubles
    body: str
    attempts: int


def take_lease(connection: Connection, webhook_id: str, holder: str) -> bool:
    """Have a webhook to oneself for a while; False while another process has it."""
    now = utc_now()
    taken = connection.execute(
        update(webhooks)
        .where(
            webhooks.c.webhook_id == webhook_id,
            webhooks.c.ended_at.is_(None),
            or_(
                webhooks.c.leased_until.is_(None),
                webhooks.c.leased_until < now,
                webhooks.c.leased_by == holder,
            ),
        )
        .values(leased_until=now + LEASE, leased_by=holder)
    )
    return bool(taken.rowcount)


def release_leases(connection: Connection, holder: str) -> None:
    """Let the next process go on at once."""
    connection.execute(
        update(webhooks).where(webhooks.c.leased_by == holder).values(leased_until=None)
    )


def enqueue_new(connection: Connection, webhook_id: str) -> bool:
    """Turn what is new in the feed into messages, and move the cursor in the same transaction.

    Returns whether there is more. Raises CursorError.
    """
    webhook = find_webhook(connection, webhook_id)
    if webhook.queued >= MAX_QUEUED:
        return False
    batch = read_batch(connection, webhook.cursor, webhook.wanted)
    for message in make_messages(connection, batch.results):
        add_delivery(connection, webhook, message)
    if batch.after != webhook.cursor:
        connection.execute(
            update(webhooks)
            .where(webhooks.c.webhook_id == webhook_id)
            .values(cursor=str(batch.after))
        )
    return not batch.is_last


def add_delivery(connection: Connection, webhook: Webhook, message: Message) -> str:
    """Write a message down that is due at once; return its id."""
    delivery_id = f"msg_{secrets.token_hex(12)}"
    connection.execute(
        insert(webhook_deliveries).values(
            delivery_id=delivery_id,
            webhook_id=webhook.webhook_id,
            body=message.body,
            attempts=0,
            due_at=utc_now(),
            created_at=utc_now(),
        )
    )
    return delivery_id


def due_deliveries(connection: Connection, webhook_id: str, limit: int) -> list[Delivery]:
    """Return messages whose time has come, oldest first."""
    d = webhook_deliveries.c
    query = (
        select(d.delivery_id, d.body, d.attempts)
        .where(d.webhook_id == webhook_id, d.due_at <= utc_now())
        .order_by(d.due_at, d.delivery_id)
        .limit(limit)
    )
    return [Delivery(*row) for row in connection.execute(query)]


def note_success(connection: Connection, webhook_id: str, delivery: Delivery) -> None:
    """Forget a message that was taken; its webhook is well."""
    d = webhook_deliveries.c
    connection.execute(delete(webhook_deliveries).where(d.delivery_id == delivery.delivery_id))
    connection.execute(
        update(webhooks)
        .where(webhooks.c.webhook_id == webhook_id, webhooks.c.failing_since.is_not(None))
        .values(failing_since=None, last_error=None)
    )


def note_failure(
    connection: Connection,
    webhook_id: str,
    delivery: Delivery,
    error: str,
    retry_after: timedelta | None = None,
) -> None:
    """Try a message again after a pause, or give it up at the end of three days."""
    d, w = webhook_deliveries.c, webhooks.c
    given_up = delivery.attempts >= len(PAUSES)
    if given_up:
        connection.execute(delete(webhook_deliveries).where(d.delivery_id == delivery.delivery_id))
    else:
        pause = max(PAUSES[delivery.attempts], min(retry_after or timedelta(), MAX_RETRY_AFTER))
        connection.execute(
            update(webhook_deliveries)
            .where(d.delivery_id == delivery.delivery_id)
            .values(attempts=delivery.attempts + 1, due_at=utc_now() + pause * _jitter())
        )
    connection.execute(
        update(webhooks)
        .where(w.webhook_id == webhook_id)
        .values(
            failing_since=func.coalesce(w.failing_since, utc_now()),
            last_error=error[:200],
            given_up=w.given_up + int(given_up),
        )
    )


def end_webhook(connection: Connection, webhook_id: str) -> None:
    """Call nobody any more: the receiver answered 410 Gone."""
    d = webhook_deliveries.c
    connection.execute(delete(webhook_deliveries).where(d.webhook_id == webhook_id))
    connection.execute(
        update(webhooks)
        .where(webhooks.c.webhook_id == webhook_id)
        .values(ended_at=utc_now(), last_error="the receiver answered 410 Gone")
    )


def _jitter() -> float:
    # Receivers that were down together are not called together again.
    return random.uniform(1.0, 1.2)  # noqa: S311
