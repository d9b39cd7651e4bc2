"""Reviews in: read, check, chunk, publish.

from iyu.producer import Producer

with Producer(source="shop") as producer:
    producer.submit("배송이 빨라서 좋았어요", review_id="4711")

Names are imported when first used: the settings and the database's libraries take most of the
time, and a program that only catches errors or reads files needs neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from iyu.producer.backpressure import OnFull
    from iyu.producer.batch import Receipt
    from iyu.producer.producer import Producer
    from iyu.producer.readers.files import Format, read_rows
    from iyu.schemas.contract.errors import (
        Backlogged,
        BrokerFull,
        BrokerUnavailable,
        DatabaseOutdated,
        DatabaseUnavailable,
        InputError,
        IyuError,
        RejectedReview,
        SettingsError,
    )
    from iyu.schemas.contract.message import Queue
    from iyu.schemas.contract.review import Reason, Rejection
    from iyu.schemas.contract.settings import Settings
    from iyu.schemas.erasure.forget import Erased

_ERRORS: Final = "iyu.schemas.contract.errors"
_MODULES: Final = {
    "Backlogged": _ERRORS,
    "BrokerFull": _ERRORS,
    "BrokerUnavailable": _ERRORS,
    "DatabaseOutdated": _ERRORS,
    "DatabaseUnavailable": _ERRORS,
    "Erased": "iyu.schemas.erasure.forget",
    "Format": "iyu.producer.readers.files",
    "InputError": _ERRORS,
    "IyuError": _ERRORS,
    "OnFull": "iyu.producer.backpressure",
    "Producer": "iyu.producer.producer",
    "Queue": "iyu.schemas.contract.message",
    "Reason": "iyu.schemas.contract.review",
    "Receipt": "iyu.producer.batch",
    "RejectedReview": _ERRORS,
    "Rejection": "iyu.schemas.contract.review",
    "Settings": "iyu.schemas.contract.settings",
    "SettingsError": _ERRORS,
    "read_rows": "iyu.producer.readers.files",
}

__all__ = [
    "Backlogged",
    "BrokerFull",
    "BrokerUnavailable",
    "DatabaseOutdated",
    "DatabaseUnavailable",
    "Erased",
    "Format",
    "InputError",
    "IyuError",
    "OnFull",
    "Producer",
    "Queue",
    "Reason",
    "Receipt",
    "RejectedReview",
    "Rejection",
    "Settings",
    "SettingsError",
    "read_rows",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
