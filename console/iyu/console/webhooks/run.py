"""Call the receivers until stopped; several processes may run side by side."""

import logging
import secrets
from threading import Event
from typing import Final

from sqlalchemy import Engine

from iyu.console.webhooks.deliveries import (
    Delivery,
    due_deliveries,
    end_webhook,
    enqueue_new,
    note_failure,
    note_success,
    release_leases,
    take_lease,
)
from iyu.console.webhooks.registry import Webhook, list_webhooks, read_secrets
from iyu.console.webhooks.sender import Sender
from iyu.schemas.contract.errors import DatabaseUnavailable, IyuError
from iyu.schemas.sql.engine import reading, writing

log = logging.getLogger("iyu.webhooks")

#: Seconds between two looks at the feed.
LOOK_EVERY: Final = 0.5
#: Seconds after which a database that does not answer is asked again.
DATABASE_PAUSE: Final = 2.0
#: Calls to one receiver before the next one's turn.
CALLS_AT_ONCE: Final = 20


def run_webhooks(engine: Engine, sender: Sender, stop: Event) -> None:
    """Deliver what is new and what is due, again and again."""
    holder = secrets.token_hex(8)
    while not stop.is_set():
        try:
            busy = deliver_all(engine, sender, holder, stop)
        except DatabaseUnavailable as error:
            log.warning("%s; trying again", error)
            stop.wait(DATABASE_PAUSE)
            continue
        if not busy:
            stop.wait(LOOK_EVERY)
    with writing(engine) as connection:
        release_leases(connection, holder)


def deliver_all(engine: Engine, sender: Sender, holder: str, stop: Event) -> bool:
    """Serve every webhook once; return whether there is more to do at once.

    Raises DatabaseUnavailable.
    """
    with reading(engine) as connection:
        active = [webhook for webhook in list_webhooks(connection) if webhook.state != "ended"]
    busy = False
    for webhook in active:
        if not stop.is_set() and _lease(engine, webhook, holder):
            busy |= _serve(engine, sender, webhook, holder, stop)
    return busy


def _serve(engine: Engine, sender: Sender, webhook: Webhook, holder: str, stop: Event) -> bool:
    """Enqueue what is new for a webhook, and make the calls that are due."""
    more = _enqueue(engine, webhook)
    with reading(engine) as connection:
        due = due_deliveries(connection, webhook.webhook_id, CALLS_AT_ONCE)
        signing = read_secrets(connection, webhook.webhook_id) if due else []
    for delivery in due:
        # Renewed before each call: a call takes less than a lease.
        if stop.is_set() or not _lease(engine, webhook, holder):
            return False
        if not _call(engine, sender, webhook, signing, delivery):
            return True  # whoever does not answer takes seconds a call: the next one's turn
    return more or len(due) == CALLS_AT_ONCE


def _lease(engine: Engine, webhook: Webhook, holder: str) -> bool:
    with writing(engine) as connection:
        return take_lease(connection, webhook.webhook_id, holder)


def _enqueue(engine: Engine, webhook: Webhook) -> bool:
    try:
        with writing(engine) as connection:
            return enqueue_new(connection, webhook.webhook_id)
    except DatabaseUnavailable:
        raise
    except IyuError as error:  # a cursor that cannot be followed: what is queued still goes out
        log.error("webhook %s: %s", webhook.webhook_id, error)
        return False


def _call(
    engine: Engine, sender: Sender, webhook: Webhook, signing: list[str], delivery: Delivery
) -> bool:
    """Call, and write down what came of it; return whether the receiver answered at all."""
    answer = sender.send(webhook.url, signing, delivery)
    with writing(engine) as connection:
        if answer.error is None:
            note_success(connection, webhook.webhook_id, delivery)
        elif answer.is_gone:
            end_webhook(connection, webhook.webhook_id)
        else:
            note_failure(connection, webhook.webhook_id, delivery, answer.error, answer.retry_after)
    if answer.error is not None:
        log.warning("webhook %s: %s", webhook.webhook_id, answer.error)
    return answer.status is not None
