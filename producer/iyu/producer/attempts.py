"""Trying again while the broker or the database fails for a while."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from iyu.schemas.contract.errors import DatabaseUnusable

if TYPE_CHECKING:
    from tenacity import AttemptManager

#: Seconds before the first repetition; it doubles each time, up to the longest.
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 2.0


def attempts(transient: type[Exception], patience: float) -> Iterator["AttemptManager"]:
    """Yield attempts until one succeeds; the last error is raised once the patience is over.

    patience: seconds; 0 is a single attempt. A database that has to be put right first
    (DatabaseUnusable: a wrong password, a full disk) is not waited for.
    """
    from tenacity import (
        Retrying,
        retry_if_exception_type,
        retry_if_not_exception_type,
        stop_before_delay,
        wait_exponential,
    )

    return iter(
        Retrying(
            retry=retry_if_exception_type(transient)
            & retry_if_not_exception_type(DatabaseUnusable),
            wait=wait_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE),
            stop=stop_before_delay(patience),
            reraise=True,
        )
    )
