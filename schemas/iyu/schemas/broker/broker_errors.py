"""What an error of Redis means, in one line that says what to do next."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import redis
from kombu.exceptions import OperationalError

from iyu.schemas.contract.errors import BrokerFull, BrokerUnavailable
from iyu.schemas.contract.settings import mask

#: What the server's answer begins with, what that means, and what to do. redis-py takes the first
#: word away where it has a class for it.
_REFUSALS: Final[Mapping[str, str]] = {
    "MISCONF": "cannot save its file and refuses to write; free its disk, see its log",
    "READONLY": "is a read-only replica; let IYU_BROKER_URL name the primary",
    "NOREPLICAS": "has too few replicas and refuses to write; see its log",
    "UNBLOCKED": "has just become a replica; let IYU_BROKER_URL name the primary",
    "MASTERDOWN": "is a replica that has lost its primary; let IYU_BROKER_URL name the primary",
    "WRONGPASS": "rejects the login; check user and password in IYU_BROKER_URL",
    "NOAUTH": "wants a password; give it in IYU_BROKER_URL",
}
_BY_CLASS: Final[tuple[tuple[type[redis.RedisError], str], ...]] = (
    (redis.exceptions.ReadOnlyError, "READONLY"),
    (redis.exceptions.MasterDownError, "MASTERDOWN"),
    (redis.exceptions.AuthenticationError, "WRONGPASS"),
)


@contextmanager
def raising_broker_errors(address: str) -> Iterator[None]:
    """Raise BrokerUnavailable or BrokerFull in place of what redis-py and kombu raise."""
    try:
        yield
    except (OperationalError, redis.RedisError, OSError) as error:
        raise broker_trouble(address, error) from error


def broker_trouble(address: str, error: BaseException) -> BrokerUnavailable:
    """Return the error to raise in place of another: what is wrong, and what to do next."""
    found = _redis_error(error)
    where = f"the broker {mask(address)}"
    # In a pipeline redis-py puts the command and what was sent before the answer.
    text = str(found).rpartition("caused error: ")[2]
    if isinstance(found, redis.exceptions.OutOfMemoryError) or "maxmemory" in text:
        return BrokerFull(
            f"{where} is at its maxmemory; wait until workers have caught up, or raise maxmemory"
        )
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return BrokerUnavailable(
            f"the certificate of the broker {mask(address)} is not trusted; name its authority "
            "with ?ssl_ca_certs=FILE behind IYU_BROKER_URL"
        )
    if isinstance(found, redis.exceptions.NoPermissionError):
        return BrokerUnavailable(f"{where} lacks a right: {text}; grant it with ACL SETUSER")
    if isinstance(found, redis.exceptions.BusyLoadingError):
        return BrokerUnavailable(f"{where} is still loading its file; wait a moment")
    code = next((code for kind, code in _BY_CLASS if isinstance(found, kind)), _first_word(text))
    if refusal := _REFUSALS.get(code):
        return BrokerUnavailable(f"{where} {refusal}")
    if isinstance(found, redis.exceptions.ResponseError):
        # No more of its text: it may quote what was sent.
        return BrokerUnavailable(f"{where} refuses a command ({code}); see its log")
    return BrokerUnavailable(
        f"{where} does not answer; check that it runs and IYU_BROKER_URL names it"
    )


def _redis_error(error: BaseException) -> BaseException:
    """Return the error of redis-py that kombu wrapped."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, redis.RedisError):
        found = found.__cause__ or found.__context__
    return error if found is None else found


def _first_word(text: str) -> str:
    return text.split(maxsplit=1)[0][:40] if text.strip() else ""
