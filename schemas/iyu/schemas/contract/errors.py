"""Everything iyu raises on purpose, as one tree.

    IyuError
    ├── SettingsError          a setting is missing or wrong
    ├── InputError             a file, a column, an encoding, a table of reviews
    ├── RejectedReview         one review breaks the entrance rules
    ├── MessageError           a message breaks the contract
    ├── ArtifactError          a model artifact is missing, broken or does not match
    ├── BrokerUnavailable      transient: the broker does not answer
    │   └── BrokerFull         Redis is at its maxmemory
    ├── DatabaseUnavailable    transient: the database does not answer or is locked
    │   └── DatabaseUnusable   a login, a right, a table or disk space is missing: correct it first
    │       └── NotADatabase   the file is none of SQLite's
    ├── DatabaseOutdated       the tables are missing or of another version
    └── Backlogged             too many reviews are pending already

Every message says what to do next. Only the transient ones are worth a retry.
"""

from iyu.schemas.contract.review import Rejection


class IyuError(Exception):
    """Root of every error that iyu raises on purpose."""


class SettingsError(IyuError):
    """A setting is missing or wrong."""


class InputError(IyuError):
    """A file of reviews cannot be read with these options."""


class RejectedReview(IyuError):
    """A review breaks the entrance rules. reason: of `iyu.schemas.contract.review.Reason`."""

    def __init__(self, rejection: Rejection) -> None:
        self.review_id = rejection.review_id
        self.reason = rejection.reason
        super().__init__(
            f"the review {rejection.review_id!r} was rejected: {rejection.reason}; "
            "correct it and submit it again, the others are not affected"
        )


class MessageError(IyuError):
    """A message breaks the contract of `schemas/message.schema.json`."""


class ArtifactError(IyuError):
    """A model artifact is missing, broken, or does not match this installation."""


class BrokerUnavailable(IyuError):
    """The broker does not answer; the same call may work later."""


class BrokerFull(BrokerUnavailable):
    """Redis is at its `maxmemory` and refuses new messages."""


class DatabaseUnavailable(IyuError):
    """The database does not answer or stays locked; the same call may work later."""


class DatabaseUnusable(DatabaseUnavailable):
    """The database answers and cannot be used until somebody corrects what the message names.

    A worker waits for that; a command ends at once.
    """


class NotADatabase(DatabaseUnusable, SettingsError):
    """The file that the address names is not a SQLite database."""


class DatabaseOutdated(IyuError):
    """The tables are missing or belong to another version of iyu."""


class Backlogged(IyuError):
    """More reviews are pending than the high-water mark allows.

    pending: reviews that are queued or running. drain_seconds: about how long they take, None
    while no worker finishes any.
    """

    def __init__(self, pending: int, drain_seconds: float | None) -> None:
        self.pending = pending
        self.drain_seconds = drain_seconds
        about = (
            f"about {drain_seconds:.0f} s" if drain_seconds is not None else "no worker is scoring"
        )
        super().__init__(
            f"{pending:,} reviews are pending already ({about}); "
            "wait, start more workers, or raise IYU_HIGH_WATER"
        )
