"""One signed call (Standard Webhooks 1.0: webhook-id, webhook-timestamp, webhook-signature)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpcore
from standardwebhooks import Webhook as Signer

from iyu.console.webhooks.address_guard import GuardedBackend
from iyu.console.webhooks.call_deadline import CallDeadline
from iyu.console.webhooks.deliveries import Delivery
from iyu.schemas.contract.review import utc_now

#: Seconds for each step of a call (connect, write, one read).
STEP_SECONDS: Final = 5.0
#: Seconds for a whole call, less than a lease: a receiver may send a byte now and then for ever.
CALL_SECONDS: Final = 20.0
_TIMEOUT: Final = dict.fromkeys(("connect", "read", "write", "pool"), STEP_SECONDS)
GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver made of a call."""

    status: int | None  # None: it could not be reached
    error: str | None = None  # None: it took the message
    retry_after: timedelta | None = None

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants no more calls."""
        return self.status == GONE


class Sender:
    """Keeps connections between calls; follows no redirect."""

    def __init__(self, *, allow_private: bool) -> None:
        self._deadline = CallDeadline(GuardedBackend(allow_private=allow_private))
        self._pool = httpcore.ConnectionPool(network_backend=self._deadline, keepalive_expiry=30)

    def send(self, url: str, secrets: Sequence[str], delivery: Delivery) -> Answer:
        """Call once; whatever happens is an answer."""
        self._deadline.begin(CALL_SECONDS)
        try:
            with self._pool.stream(
                "POST",
                url,
                headers=_headers(secrets, delivery),
                content=delivery.body.encode(),
                extensions={"timeout": _TIMEOUT},
            ) as response:
                return _read(response)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            return Answer(None, f"{type(error).__name__}: {error}".strip(": ")[:200])
        except Exception as error:  # one receiver must not end the calls to all others
            return Answer(None, f"the call failed: {type(error).__name__}")

    def close(self) -> None:
        """Let the connections go."""
        self._pool.close()


def _headers(
    secrets: Sequence[str], delivery: Delivery
) -> Sequence[tuple[bytes | str, bytes | str]]:
    now = utc_now()
    signatures = [
        Signer(secret).sign(delivery.delivery_id, now, delivery.body) for secret in secrets
    ]
    headers = {
        "content-type": "application/json",
        "user-agent": "iyu-webhooks/1",
        "webhook-id": delivery.delivery_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return [*headers.items()]


def _read(response: Any) -> Answer:
    # The body is not read: it may be endless, and only the status counts.
    status = int(response.status)
    if 200 <= status < 300:
        return Answer(status)
    headers = {name.lower(): value for name, value in response.headers}
    after = headers.get(b"retry-after", b"").decode("ascii", "replace")
    return Answer(status, f"it answered {status}", _retry_after(after))


def _retry_after(value: str) -> timedelta | None:
    """Read seconds or a date (RFC 9110, 10.2.3)."""
    if value.strip().isdecimal():
        return timedelta(seconds=int(value.strip()[:8]))  # four months: more than is honoured
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if moment.tzinfo is None else max(moment - utc_now(), timedelta())
